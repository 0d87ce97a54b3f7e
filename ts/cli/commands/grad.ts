/** `segrad grad`: the gradient of a loss, as numbers and as a picture. */
import type { Command } from "commander";
import { valueAndGrad } from "../../core/entry/node.ts";
import type { Console } from "../console.ts";
import { describe } from "../evaluation.ts";
import { FileError, UsageError } from "../failure.ts";
import { writeNpy } from "../files/npy.ts";
import { readImage, readTensor } from "../files/read.ts";
import { sameShape, showShape } from "../files/tensor.ts";
import { checkOutputs, type Output, writeOutputs } from "../files/write.ts";
import { printLoss } from "../language/print.ts";
import { addReading, parseIndex, type ReadingOptions, readingOf } from "../options.ts";
import { type Place, pickPlace, planeAt, showPlace } from "../picture/pick.ts";
import { paintDiverging, usualLimit } from "../picture/picture.ts";
import { examine, type Subject, subjectOf } from "../subject/subject.ts";
import { short } from "../text/number.ts";

interface GradOptions extends ReadingOptions {
  readonly output?: string;
  readonly png?: string;
  readonly image?: string;
  readonly item?: number;
  readonly channel?: number;
  readonly slice?: number;
}

export function addGrad(program: Command, console: Console): void {
  addReading(program.command("grad"))
    .summary("gradient of a loss, as .npy and as a heat map")
    .description(
      "Gradient of a loss with respect to the logits (to the probabilities where the prediction holds those).",
    )
    .argument("<prediction>", "scores: .npy, .npz or .nii with logits, or a grey .png or .tif")
    .argument("<target>", "label image of the same size")
    .option("-o, --output <file>", "write the gradient as .npy, shaped like the prediction")
    .option("--png <file>", "paint it: blue where a step raises the score, red where it lowers it")
    .option("--image <file>", "image to paint it over")
    .option("--item <index>", "image of the batch to paint (default: 0)", parseIndex)
    .option("--channel <index>", "channel to paint (default: the one with the largest gradient)", parseIndex)
    .option(
      "--slice <index>",
      "z to paint in a volume (default: the one with the largest gradient)",
      parseIndex,
    )
    .addHelpText("after", examples)
    .action((prediction: string, target: string, options: GradOptions) =>
      run(prediction, target, options, console),
    );
}

const examples = `
Examples:
  $ segrad grad logits.npy mask.png --loss dice -o grad.npy
  $ segrad grad logits.npy mask.png --loss dice+0.5*crossEntropy --png heat.png --image photo.png
  $ segrad grad scores.nii.gz labels.nii.gz --loss boundary --png heat.png --channel 2 --slice 80

Gradient descent subtracts the gradient: blue pixels want a larger score, red ones a smaller.`;

function run(predictionPath: string, targetPath: string, options: GradOptions, console: Console): void {
  const { output, png } = options;
  if (output === undefined && png === undefined) {
    throw new UsageError("say where the gradient goes: -o grad.npy, --png heat.png");
  }
  checkOutputs([
    { path: output, ending: ".npy" },
    { path: png, ending: ".png" },
  ]);
  const subject = subjectOf(readTensor(predictionPath), readTensor(targetPath), readingOf(options));
  const { value, grad } = examine(subject, () => valueAndGrad(options.loss, subject.batch));
  const loss = printLoss(options.loss);
  const lines = [describe(subject), `${loss}  ${short(value)}  ‖gradient‖ ${short(norm(grad))}`];

  const outputs: Output[] = [];
  if (output !== undefined) {
    // One-hot channels of a label image are no axis of its file.
    const shape = options.labels ? subject.batch.shape : subject.prediction.shape;
    outputs.push({ path: output, bytes: writeNpy({ data: grad, shape }) });
  }
  if (png !== undefined) {
    const place = pickPlace(grad, subject.axes, { ...options, z: options.slice });
    const plane = planeAt(grad, subject.axes, place);
    const limit = usualLimit(plane.values);
    const where = showPlace(place, subject.axes);
    const scale = `${where && `${where}: `}blue to −${short(limit)}, red to +${short(limit)}`;
    const image = options.image === undefined ? undefined : groundOf(options.image, subject, place);
    outputs.push({ path: png, bytes: paintDiverging(plane, limit, `Gradient of ${loss}; ${scale}`, image) });
    lines.push(`${png}  ${scale}`);
  }
  writeOutputs(outputs);
  console.print(lines.join("\n"));
  for (const note of subject.notes) console.remark(`note: ${note}`);
}

/** The plane of an image under a plane of the gradient: an image of its own size, or a volume with that plane. */
function groundOf(path: string, { axes }: Subject, { z }: Place): ArrayLike<number> {
  const image = readImage(path);
  const [height, width] = axes.spatial.slice(-2) as [number, number];
  if (sameShape(image.shape, [height, width])) return image.data;
  if (sameShape(image.shape, axes.spatial)) {
    return image.data.subarray(z * height * width, (z + 1) * height * width);
  }
  throw new FileError(path, `it is ${showShape(image.shape)}; the prediction is ${showShape(axes.spatial)}`);
}

function norm(vector: Float32Array): number {
  let squares = 0;
  for (const x of vector) squares += x * x;
  return Math.sqrt(squares);
}
