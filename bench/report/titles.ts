/** Names for people. */
const titles: { readonly [name: string]: string } = {
  W1: "W1: binary, 8 × 1 × 512²",
  W2: "W2: 21 classes, 4 × 21 × 256²",
  W3: "W3: volume, 4 classes, 1 × 4 × 128³",
  "8 x 512^2": "8 masks of 512²",
  "128^3": "A mask of 128³",
  "256^3": "A mask of 256³",
  crossEntropy: "cross-entropy",
  dice: "Dice",
  jaccard: "Jaccard",
  tversky: "Tversky",
  "dice + crossEntropy": "Dice + cross-entropy",
  generalizedDice: "generalized Dice",
  lovaszHinge: "Lovász hinge",
  lovaszSoftmax: "Lovász softmax",
  distance: "distance transform",
  signed: "signed distance",
};

/** What a workload, a loss or a map is called in pictures and headings. */
export const titleOf = (name: string): string => titles[name] ?? name;
