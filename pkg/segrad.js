/* @ts-self-types="./segrad.d.ts" */

/**
 * The image that maps are made of, and the memory they are made in.
 *
 * Labels of any type are first written down as what the maps ask of them: the code of the maps is in the
 * module once, not once a type.
 */
export class Maps {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        MapsFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_maps_free(ptr, 0);
    }
    /**
     * Average symmetric surface distance of the last measurement.
     * @returns {number}
     */
    average_surface_distance() {
        const ret = wasm.maps_average_surface_distance(this.__wbg_ptr);
        return ret;
    }
    /**
     * Distance of every pixel of the mask that is not 0 to the nearest that is.
     * @param {number} mask
     * @param {number} mask_type
     * @param {number} map
     */
    distance(mask, mask_type, map) {
        wasm.maps_distance(this.__wbg_ptr, mask, mask_type, map);
    }
    /**
     * HD95 of the last measurement.
     * @returns {number}
     */
    hausdorff95() {
        const ret = wasm.maps_hausdorff95(this.__wbg_ptr);
        return ret;
    }
    /**
     * Hausdorff distance of the last measurement.
     * @returns {number}
     */
    hausdorff() {
        const ret = wasm.maps_hausdorff(this.__wbg_ptr);
        return ret;
    }
    /**
     * Sides and pixel size of the images to come.
     * @param {number} depth
     * @param {number} height
     * @param {number} width
     * @param {number} depth_spacing
     * @param {number} height_spacing
     * @param {number} width_spacing
     */
    layout(depth, height, width, depth_spacing, height_spacing, width_spacing) {
        wasm.maps_layout(this.__wbg_ptr, depth, height, width, depth_spacing, height_spacing, width_spacing);
    }
    /**
     * Measures how far apart the surfaces of a class are in two arrays of labels. Pixels whose target is
     * `ignore` (NaN: none) are in neither. The results follow.
     * @param {number} prediction
     * @param {number} prediction_type
     * @param {number} target
     * @param {number} target_type
     * @param {number} _class
     * @param {number} ignore
     * @param {number} tolerance
     */
    measure(prediction, prediction_type, target, target_type, _class, ignore, tolerance) {
        wasm.maps_measure(this.__wbg_ptr, prediction, prediction_type, target, target_type, _class, ignore, tolerance);
    }
    /**
     * Maps of nothing yet.
     */
    constructor() {
        const ret = wasm.maps_new();
        this.__wbg_ptr = ret;
        MapsFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
    /**
     * φ of a class. `ignore` is NaN where no label is ignored.
     * @param {number} labels
     * @param {number} label_type
     * @param {number} _class
     * @param {number} ignore
     * @param {number} map
     */
    signed(labels, label_type, _class, ignore, map) {
        wasm.maps_signed(this.__wbg_ptr, labels, label_type, _class, ignore, map);
    }
    /**
     * Normalised surface Dice of the last measurement.
     * @returns {number}
     */
    surface_dice() {
        const ret = wasm.maps_surface_dice(this.__wbg_ptr);
        return ret;
    }
    /**
     * U-Net's weights between instances, on top of a weight for the background and one for the instances.
     * @param {number} instances
     * @param {number} instance_type
     * @param {number} w0
     * @param {number} sigma
     * @param {number} background
     * @param {number} foreground
     * @param {number} map
     */
    unet(instances, instance_type, w0, sigma, background, foreground, map) {
        wasm.maps_unet(this.__wbg_ptr, instances, instance_type, w0, sigma, background, foreground, map);
    }
}
if (Symbol.dispose) Maps.prototype[Symbol.dispose] = Maps.prototype.free;

/**
 * Weighted losses, evaluated together.
 */
export class Objective {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        ObjectiveFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_objective_free(ptr, 0);
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} beta
     * @param {number} reduction
     */
    balanced_cross_entropy(weight, beta, reduction) {
        wasm.objective_balanced_cross_entropy(this.__wbg_ptr, weight, beta, reduction);
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} classes
     * @param {number} spacing
     */
    boundary(weight, classes, spacing) {
        wasm.objective_boundary(this.__wbg_ptr, weight, classes, spacing);
    }
    /**
     * Forgets all losses.
     */
    clear() {
        wasm.objective_clear(this.__wbg_ptr);
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} over
     * @param {number} classes
     * @param {number} alpha
     * @param {number} beta
     * @param {number} smooth
     */
    combo(weight, over, classes, alpha, beta, smooth) {
        wasm.objective_combo(this.__wbg_ptr, weight, over, classes, alpha, beta, smooth);
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} base
     * @param {number} lambda
     * @param {number} floor
     * @param {number} reduction
     */
    conservative(weight, base, lambda, floor, reduction) {
        wasm.objective_conservative(this.__wbg_ptr, weight, base, lambda, floor, reduction);
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} class_weights
     * @param {number} label_smoothing
     * @param {number} reduction
     */
    cross_entropy(weight, class_weights, label_smoothing, reduction) {
        wasm.objective_cross_entropy(this.__wbg_ptr, weight, class_weights, label_smoothing, reduction);
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} over
     * @param {number} classes
     * @param {number} smooth
     * @param {boolean} squared
     */
    dice(weight, over, classes, smooth, squared) {
        wasm.objective_dice(this.__wbg_ptr, weight, over, classes, smooth, squared);
    }
    /**
     * Value, and the gradient where `gradient` is not null. NaN with a `fault` where the data is not
     * valid; then nothing was written.
     * @param {number} logits
     * @param {number} target
     * @param {number} target_type
     * @param {number} weights
     * @param {number} distance
     * @param {number} gradient
     * @param {boolean} check
     * @returns {number}
     */
    evaluate(logits, target, target_type, weights, distance, gradient, check) {
        const ret = wasm.objective_evaluate(this.__wbg_ptr, logits, target, target_type, weights, distance, gradient, check);
        return ret;
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} over
     * @param {number} classes
     * @param {number} dice_weight
     * @param {number} cross_weight
     * @param {number} dice_gamma
     * @param {number} cross_gamma
     * @param {number} class_weights
     * @param {number} smooth
     */
    exponential_logarithmic(weight, over, classes, dice_weight, cross_weight, dice_gamma, cross_gamma, class_weights, smooth) {
        wasm.objective_exponential_logarithmic(this.__wbg_ptr, weight, over, classes, dice_weight, cross_weight, dice_gamma, cross_gamma, class_weights, smooth);
    }
    /**
     * Which argument was at fault at the last evaluation (see `Argument`), or 0.
     * @returns {number}
     */
    fault() {
        const ret = wasm.objective_fault(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Where in that argument.
     * @returns {number}
     */
    fault_index() {
        const ret = wasm.objective_fault_index(this.__wbg_ptr);
        return ret;
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} gamma
     * @param {number} alpha
     * @param {number} reduction
     */
    focal(weight, gamma, alpha, reduction) {
        wasm.objective_focal(this.__wbg_ptr, weight, gamma, alpha, reduction);
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} over
     * @param {number} classes
     * @param {number} alpha
     * @param {number} beta
     * @param {number} gamma
     * @param {number} smooth
     */
    focal_tversky(weight, over, classes, alpha, beta, gamma, smooth) {
        wasm.objective_focal_tversky(this.__wbg_ptr, weight, over, classes, alpha, beta, gamma, smooth);
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} over
     * @param {number} classes
     * @param {number} weighting
     * @param {number} smooth
     */
    generalized_dice(weight, over, classes, weighting, smooth) {
        wasm.objective_generalized_dice(this.__wbg_ptr, weight, over, classes, weighting, smooth);
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} classes
     * @param {number} alpha
     * @param {number} spacing
     */
    hausdorff_dt(weight, classes, alpha, spacing) {
        wasm.objective_hausdorff_dt(this.__wbg_ptr, weight, classes, alpha, spacing);
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} over
     * @param {number} classes
     * @param {number} smooth
     */
    jaccard(weight, over, classes, smooth) {
        wasm.objective_jaccard(this.__wbg_ptr, weight, over, classes, smooth);
    }
    /**
     * Shape and meaning of the batches to come. `ignore` is NaN where no label is ignored.
     * @param {number} images
     * @param {number} channels
     * @param {number} depth
     * @param {number} height
     * @param {number} width
     * @param {number} depth_spacing
     * @param {number} height_spacing
     * @param {number} width_spacing
     * @param {boolean} sigmoid
     * @param {boolean} channels_last
     * @param {boolean} from_logits
     * @param {number} ignore
     */
    layout(images, channels, depth, height, width, depth_spacing, height_spacing, width_spacing, sigmoid, channels_last, from_logits, ignore) {
        wasm.objective_layout(this.__wbg_ptr, images, channels, depth, height, width, depth_spacing, height_spacing, width_spacing, sigmoid, channels_last, from_logits, ignore);
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} over
     */
    lovasz_hinge(weight, over) {
        wasm.objective_lovasz_hinge(this.__wbg_ptr, weight, over);
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} over
     * @param {number} classes
     */
    lovasz_softmax(weight, over, classes) {
        wasm.objective_lovasz_softmax(this.__wbg_ptr, weight, over, classes);
    }
    /**
     * Writes the unreduced loss of every site. Every loss must be pointwise.
     * @param {number} logits
     * @param {number} target
     * @param {number} target_type
     * @param {number} weights
     * @param {number} losses
     * @param {boolean} check
     */
    map(logits, target, target_type, weights, losses, check) {
        wasm.objective_map(this.__wbg_ptr, logits, target, target_type, weights, losses, check);
    }
    /**
     * An objective without losses.
     */
    constructor() {
        const ret = wasm.objective_new();
        this.__wbg_ptr = ret;
        ObjectiveFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} over
     * @param {number} classes
     * @param {number} alpha
     * @param {number} beta
     * @param {number} smooth
     */
    tversky(weight, over, classes, alpha, beta, smooth) {
        wasm.objective_tversky(this.__wbg_ptr, weight, over, classes, alpha, beta, smooth);
    }
    /**
     * Value of one loss at the last evaluation, unweighted.
     * @param {number} term
     * @returns {number}
     */
    value_of(term) {
        const ret = wasm.objective_value_of(this.__wbg_ptr, term);
        return ret;
    }
    /**
     * Adds this loss.
     * @param {number} weight
     * @param {number} positive_weight
     * @param {number} reduction
     */
    weighted_cross_entropy(weight, positive_weight, reduction) {
        wasm.objective_weighted_cross_entropy(this.__wbg_ptr, weight, positive_weight, reduction);
    }
}
if (Symbol.dispose) Objective.prototype[Symbol.dispose] = Objective.prototype.free;

/**
 * Room for this many bytes, aligned to 64; 0 where there is none.
 * @param {number} bytes
 * @returns {number}
 */
export function allocate(bytes) {
    const ret = wasm.allocate(bytes);
    return ret >>> 0;
}

/**
 * Reads `length` floats, a multiple of 4, and writes their exponentials: what one activation costs
 * at the least.
 * @param {number} from
 * @param {number} to
 * @param {number} length
 */
export function exp_sweep(from, to, length) {
    wasm.exp_sweep(from, to, length);
}

/**
 * Gives back what `allocate` gave for this many bytes.
 * @param {number} pointer
 * @param {number} bytes
 */
export function release(pointer, bytes) {
    wasm.release(pointer, bytes);
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg___wbindgen_throw_4c88d8bf264fd984: function(arg0, arg1) {
            throw new Error(getStringFromWasm0(arg0, arg1));
        },
        __wbindgen_init_externref_table: function() {
            const table = wasm.__wbindgen_externrefs;
            table.set(0, undefined);
            table.set(1024, undefined);
            table.set(1025, null);
            table.set(1026, true);
            table.set(1027, false);
        },
    };
    return {
        __proto__: null,
        "./segrad_bg.js": import0,
    };
}

const MapsFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_maps_free(ptr, 1));
const ObjectiveFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_objective_free(ptr, 1));

function getStringFromWasm0(ptr, len) {
    ptr = ptr >>> 0;
    return decodeText(getUint8ArrayMemory0().subarray(ptr, ptr + len));
}

let cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {
    if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {
        cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
    }
    return cachedUint8ArrayMemory0;
}

let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
cachedTextDecoder.decode();
const MAX_SAFARI_DECODE_BYTES = 2146435072;
let numBytesDecoded = 0;
function decodeText(bytes) {
    numBytesDecoded += bytes.length;
    if (numBytesDecoded >= MAX_SAFARI_DECODE_BYTES) {
        cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
        cachedTextDecoder.decode();
        numBytesDecoded = bytes.length;
    }
    return cachedTextDecoder.decode(bytes);
}

let wasmModule, wasmInstance, wasm;
function __wbg_finalize_init(instance, module) {
    wasmInstance = instance;
    wasm = instance.exports;
    wasmModule = module;
    cachedUint8ArrayMemory0 = null;
    wasm.__wbindgen_start();
    return wasm;
}

async function __wbg_load(module, imports) {
    if (typeof Response === 'function' && module instanceof Response) {
        if (!module.ok) {
            throw new Error(`failed to fetch Wasm: ${module.status} ${module.statusText} fetching '${module.url}'`);
        }

        if (typeof WebAssembly.instantiateStreaming === 'function') {
            try {
                return await WebAssembly.instantiateStreaming(module, imports);
            } catch (e) {
                const validResponse = expectedResponseType(module.type);

                if (validResponse && module.headers.get('Content-Type') !== 'application/wasm') {
                    console.warn("`WebAssembly.instantiateStreaming` failed because your server does not serve Wasm with `application/wasm` MIME type. Falling back to `WebAssembly.instantiate` which is slower. Original error:\n", e);

                } else { throw e; }
            }
        }

        const bytes = await module.arrayBuffer();
        return await WebAssembly.instantiate(bytes, imports);
    } else {
        const instance = await WebAssembly.instantiate(module, imports);

        if (instance instanceof WebAssembly.Instance) {
            return { instance, module };
        } else {
            return instance;
        }
    }

    function expectedResponseType(type) {
        switch (type) {
            case 'basic': case 'cors': case 'default': return true;
        }
        return false;
    }
}

function initSync(module) {
    if (wasm !== undefined) return wasm;


    if (module !== undefined) {
        if (Object.getPrototypeOf(module) === Object.prototype) {
            ({module} = module)
        } else {
            console.warn('using deprecated parameters for `initSync()`; pass a single object instead')
        }
    }

    const imports = __wbg_get_imports();
    if (!(module instanceof WebAssembly.Module)) {
        module = new WebAssembly.Module(module);
    }
    const instance = new WebAssembly.Instance(module, imports);
    return __wbg_finalize_init(instance, module);
}

let __wbg_init_promise;
async function __wbg_init(module_or_path) {
    if (wasm !== undefined) return wasm;
    if (__wbg_init_promise === undefined) {
        __wbg_init_promise = __wbg_init_once(module_or_path);
        __wbg_init_promise.catch(() => { __wbg_init_promise = undefined; });
    }
    return __wbg_init_promise;
}

async function __wbg_init_once(module_or_path) {

    if (module_or_path !== undefined) {
        if (Object.getPrototypeOf(module_or_path) === Object.prototype) {
            ({module_or_path} = module_or_path)
        } else {
            console.warn('using deprecated parameters for the initialization function; pass a single object instead')
        }
    }

    if (module_or_path === undefined) {
        module_or_path = new URL('segrad_bg.wasm', import.meta.url);
    }
    const imports = __wbg_get_imports();

    if (typeof module_or_path === 'string' || (typeof Request === 'function' && module_or_path instanceof Request) || (typeof URL === 'function' && module_or_path instanceof URL)) {
        module_or_path = fetch(module_or_path);
    }

    const { instance, module } = await __wbg_load(await module_or_path, imports);

    return __wbg_finalize_init(instance, module);
}

export { initSync, __wbg_init as default };
