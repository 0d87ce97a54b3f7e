/* tslint:disable */
/* eslint-disable */

/**
 * The image that maps are made of, and the memory they are made in.
 *
 * Labels of any type are first written down as what the maps ask of them: the code of the maps is in the
 * module once, not once a type.
 */
export class Maps {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Average symmetric surface distance of the last measurement.
     */
    average_surface_distance(): number;
    /**
     * Distance of every pixel of the mask that is not 0 to the nearest that is.
     */
    distance(mask: number, mask_type: number, map: number): void;
    /**
     * HD95 of the last measurement.
     */
    hausdorff95(): number;
    /**
     * Hausdorff distance of the last measurement.
     */
    hausdorff(): number;
    /**
     * Sides and pixel size of the images to come.
     */
    layout(depth: number, height: number, width: number, depth_spacing: number, height_spacing: number, width_spacing: number): void;
    /**
     * Measures how far apart the surfaces of a class are in two arrays of labels. Pixels whose target is
     * `ignore` (NaN: none) are in neither. The results follow.
     */
    measure(prediction: number, prediction_type: number, target: number, target_type: number, _class: number, ignore: number, tolerance: number): void;
    /**
     * Maps of nothing yet.
     */
    constructor();
    /**
     * φ of a class. `ignore` is NaN where no label is ignored.
     */
    signed(labels: number, label_type: number, _class: number, ignore: number, map: number): void;
    /**
     * Normalised surface Dice of the last measurement.
     */
    surface_dice(): number;
    /**
     * U-Net's weights between instances, on top of a weight for the background and one for the instances.
     */
    unet(instances: number, instance_type: number, w0: number, sigma: number, background: number, foreground: number, map: number): void;
}

/**
 * Weighted losses, evaluated together.
 */
export class Objective {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Adds this loss.
     */
    balanced_cross_entropy(weight: number, beta: number, reduction: number): void;
    /**
     * Adds this loss.
     */
    boundary(weight: number, classes: number, spacing: number): void;
    /**
     * Forgets all losses.
     */
    clear(): void;
    /**
     * Adds this loss.
     */
    combo(weight: number, over: number, classes: number, alpha: number, beta: number, smooth: number): void;
    /**
     * Adds this loss.
     */
    conservative(weight: number, base: number, lambda: number, floor: number, reduction: number): void;
    /**
     * Adds this loss.
     */
    cross_entropy(weight: number, class_weights: number, label_smoothing: number, reduction: number): void;
    /**
     * Adds this loss.
     */
    dice(weight: number, over: number, classes: number, smooth: number, squared: boolean): void;
    /**
     * Value, and the gradient where `gradient` is not null. NaN with a `fault` where the data is not
     * valid; then nothing was written.
     */
    evaluate(logits: number, target: number, target_type: number, weights: number, distance: number, gradient: number, check: boolean): number;
    /**
     * Adds this loss.
     */
    exponential_logarithmic(weight: number, over: number, classes: number, dice_weight: number, cross_weight: number, dice_gamma: number, cross_gamma: number, class_weights: number, smooth: number): void;
    /**
     * Which argument was at fault at the last evaluation (see `Argument`), or 0.
     */
    fault(): number;
    /**
     * Where in that argument.
     */
    fault_index(): number;
    /**
     * Adds this loss.
     */
    focal(weight: number, gamma: number, alpha: number, reduction: number): void;
    /**
     * Adds this loss.
     */
    focal_tversky(weight: number, over: number, classes: number, alpha: number, beta: number, gamma: number, smooth: number): void;
    /**
     * Adds this loss.
     */
    generalized_dice(weight: number, over: number, classes: number, weighting: number, smooth: number): void;
    /**
     * Adds this loss.
     */
    hausdorff_dt(weight: number, classes: number, alpha: number, spacing: number): void;
    /**
     * Adds this loss.
     */
    jaccard(weight: number, over: number, classes: number, smooth: number): void;
    /**
     * Shape and meaning of the batches to come. `ignore` is NaN where no label is ignored.
     */
    layout(images: number, channels: number, depth: number, height: number, width: number, depth_spacing: number, height_spacing: number, width_spacing: number, sigmoid: boolean, channels_last: boolean, from_logits: boolean, ignore: number): void;
    /**
     * Adds this loss.
     */
    lovasz_hinge(weight: number, over: number): void;
    /**
     * Adds this loss.
     */
    lovasz_softmax(weight: number, over: number, classes: number): void;
    /**
     * Writes the unreduced loss of every site. Every loss must be pointwise.
     */
    map(logits: number, target: number, target_type: number, weights: number, losses: number, check: boolean): void;
    /**
     * An objective without losses.
     */
    constructor();
    /**
     * Adds this loss.
     */
    tversky(weight: number, over: number, classes: number, alpha: number, beta: number, smooth: number): void;
    /**
     * Value of one loss at the last evaluation, unweighted.
     */
    value_of(term: number): number;
    /**
     * Adds this loss.
     */
    weighted_cross_entropy(weight: number, positive_weight: number, reduction: number): void;
}

/**
 * Room for this many bytes, aligned to 64; 0 where there is none.
 */
export function allocate(bytes: number): number;

/**
 * Reads `length` floats, a multiple of 4, and writes their exponentials: what one activation costs
 * at the least.
 */
export function exp_sweep(from: number, to: number, length: number): void;

/**
 * Gives back what `allocate` gave for this many bytes.
 */
export function release(pointer: number, bytes: number): void;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_maps_free: (a: number, b: number) => void;
    readonly __wbg_objective_free: (a: number, b: number) => void;
    readonly allocate: (a: number) => number;
    readonly exp_sweep: (a: number, b: number, c: number) => void;
    readonly maps_average_surface_distance: (a: number) => number;
    readonly maps_distance: (a: number, b: number, c: number, d: number) => void;
    readonly maps_hausdorff: (a: number) => number;
    readonly maps_hausdorff95: (a: number) => number;
    readonly maps_layout: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => void;
    readonly maps_measure: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => void;
    readonly maps_new: () => number;
    readonly maps_signed: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
    readonly maps_surface_dice: (a: number) => number;
    readonly maps_unet: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => void;
    readonly objective_balanced_cross_entropy: (a: number, b: number, c: number, d: number) => void;
    readonly objective_boundary: (a: number, b: number, c: number, d: number) => void;
    readonly objective_clear: (a: number) => void;
    readonly objective_combo: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => void;
    readonly objective_conservative: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
    readonly objective_cross_entropy: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly objective_dice: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
    readonly objective_evaluate: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => number;
    readonly objective_exponential_logarithmic: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number, i: number, j: number) => void;
    readonly objective_fault: (a: number) => number;
    readonly objective_fault_index: (a: number) => number;
    readonly objective_focal: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly objective_focal_tversky: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => void;
    readonly objective_generalized_dice: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
    readonly objective_hausdorff_dt: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly objective_jaccard: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly objective_layout: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number, i: number, j: number, k: number, l: number, m: number) => void;
    readonly objective_lovasz_hinge: (a: number, b: number, c: number) => void;
    readonly objective_lovasz_softmax: (a: number, b: number, c: number, d: number) => void;
    readonly objective_map: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => void;
    readonly objective_new: () => number;
    readonly objective_tversky: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => void;
    readonly objective_value_of: (a: number, b: number) => number;
    readonly objective_weighted_cross_entropy: (a: number, b: number, c: number, d: number) => void;
    readonly release: (a: number, b: number) => void;
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
