/* tslint:disable */
/* eslint-disable */
export const memory: WebAssembly.Memory;
export const __wbg_objective_free: (a: number, b: number) => void;
export const allocate: (a: number) => number;
export const exp_sweep: (a: number, b: number, c: number) => void;
export const objective_balanced_cross_entropy: (a: number, b: number, c: number, d: number) => void;
export const objective_clear: (a: number) => void;
export const objective_combo: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => void;
export const objective_conservative: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
export const objective_cross_entropy: (a: number, b: number, c: number, d: number, e: number) => void;
export const objective_dice: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
export const objective_evaluate: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => number;
export const objective_exponential_logarithmic: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number, i: number, j: number) => void;
export const objective_fault: (a: number) => number;
export const objective_fault_index: (a: number) => number;
export const objective_focal: (a: number, b: number, c: number, d: number, e: number) => void;
export const objective_focal_tversky: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => void;
export const objective_generalized_dice: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
export const objective_jaccard: (a: number, b: number, c: number, d: number, e: number) => void;
export const objective_layout: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number, i: number, j: number, k: number, l: number, m: number) => void;
export const objective_map: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => void;
export const objective_new: () => number;
export const objective_tversky: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => void;
export const objective_value_of: (a: number, b: number) => number;
export const objective_weighted_cross_entropy: (a: number, b: number, c: number, d: number) => void;
export const release: (a: number, b: number) => void;
export const __wbindgen_externrefs: WebAssembly.Table;
export const __wbindgen_start: () => void;
