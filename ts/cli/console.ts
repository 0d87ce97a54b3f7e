/** Where the program writes: results to the standard output, everything else to the standard error. */
import { type Options, SingleBar } from "cli-progress";

export interface Console {
  /** A result. */
  print(text: string): void;
  /** A remark for people. */
  remark(text: string): void;
  /** Goes through `items` with a progress bar, where there is a terminal to draw it on. */
  progress<T>(items: readonly T[], what: string, visit: (item: T) => void | Promise<void>): Promise<void>;
}

export const realConsole: Console = {
  print: (text) => {
    process.stdout.write(`${text}\n`);
  },
  remark: (text) => {
    process.stderr.write(`${text}\n`);
  },
  async progress(items, what, visit) {
    const bar = process.stderr.isTTY && items.length > 1 ? new SingleBar(barOptions(what)) : undefined;
    bar?.start(items.length, 0);
    try {
      for (const item of items) {
        await visit(item);
        bar?.increment();
        // Lets the bar be drawn and Ctrl-C be heard.
        if (bar) await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      bar?.stop();
    }
  },
};

function barOptions(what: string): Options {
  return {
    format: `${what} {bar} {value}/{total}  {eta_formatted} left`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  };
}
