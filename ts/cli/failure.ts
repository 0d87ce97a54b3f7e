/** What can go wrong on the command line, and with which exit code. */
import { type ErrorCode, SegradError } from "../error.ts";
import { LossTextError } from "./language/parse.ts";

/** Everything went well. */
export const success = 0;
/** The command line is wrong: an unknown option, a loss that is none, a loss that does not fit the data. */
export const usage = 1;
/** A file or its contents are wrong. */
export const badData = 2;

/** The command line asks for something that does not exist. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A file cannot be read or written, or what is in it does not do. The message starts with the file's name. */
export class FileError extends Error {
  override readonly name = "FileError";
  constructor(file: string, what: string) {
    super(`${file}: ${what}`);
  }
}

const usageCodes: ReadonlySet<ErrorCode> = new Set([
  "invalid-loss",
  "unknown-kind",
  "unknown-option",
  "invalid-option",
  "invalid-argument",
  "incompatible",
]);

/** The exit code for an error; undefined for one that nobody foresaw, which is a defect of this program. */
export function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof UsageError || error instanceof LossTextError) return usage;
  if (error instanceof FileError) return badData;
  if (error instanceof SegradError) return usageCodes.has(error.code) ? usage : badData;
  return undefined;
}
