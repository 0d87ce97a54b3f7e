/** The part of `@tensorflow/tfjs` that the guides use, from the packages it is made of. */
export * from "@tensorflow/tfjs-core";
export * from "@tensorflow/tfjs-layers";
