/**
 * Builds the site of the documentation by TypeDoc; any warning is an error. Three things TypeDoc cannot know are
 * added: what the options of a loss are, which page the README means by a source file, and the titles of guides.
 */
import { fileURLToPath } from "node:url";
import {
  Application,
  Comment,
  CommentTag,
  type Context,
  Converter,
  type DeclarationReflection,
  ReferenceType,
  ReflectionKind,
  ReflectionType,
  UnknownType,
} from "typedoc";
import { type Kind, losses } from "../ts/loss/index.ts";
import type { Bounds, ChoiceOption, NumbersOption, Option } from "../ts/option.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Builds the site into the folder `out`; false if there was anything to complain about. */
export async function buildDocs(out?: string): Promise<boolean> {
  const app = await Application.bootstrapWithPlugins({
    options: `${root}typedoc.json`,
    ...(out === undefined ? {} : { out }),
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, improve);
  const project = await app.convert();
  if (project === undefined) return false;
  app.validate(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) return false;
  await app.generateOutputs(project);
  return !app.logger.hasErrors() && !app.logger.hasWarnings();
}

function improve({ project }: Context): void {
  for (const reflection of project.getReflectionsByKind(ReflectionKind.Variable)) {
    if (isLoss(reflection)) describeLoss(reflection);
  }
  for (const reflection of project.getReflectionsByKind(
    ReflectionKind.VariableOrProperty | ReflectionKind.Function,
  )) {
    const file = `${root}ts/loss/${reflection.name}.ts`;
    const isPage = reflection.parent?.name === "segrad" && (isLoss(reflection) || reflection.name === "sum");
    if (isPage) project.files.registerReflectionPath(file as never, reflection);
  }
  for (const document of project.documents ?? []) {
    const heading = document.content.findIndex(({ text }) => text.startsWith("# "));
    document.name = /^# (.*)/.exec(document.content[heading]?.text ?? "")?.[1] ?? document.name;
    const isGuide = project.files.getReflectionPath(document)?.includes("/guides/");
    document.frontmatter["group"] = isGuide ? "Guides" : "Project";
  }
}

const isLoss = (reflection: { name: string; parent?: unknown }): reflection is DeclarationReflection =>
  Object.hasOwn(losses, reflection.name);

/** A table of the options in place of their types, which are made for programs. */
function describeLoss(reflection: DeclarationReflection): void {
  const { type, comment } = reflection;
  if (!(type instanceof ReferenceType) || comment === undefined) return;
  const row = type.typeArguments?.[1];
  const members = row instanceof ReflectionType ? (row.declaration.children ?? []) : [];
  const options: { readonly [name: string]: Option<unknown> } = losses[reflection.name as Kind].options;
  const names = Object.keys(options);
  const words = (name: string) => {
    const member = members.find((child) => child.name === name);
    return Comment.combineDisplayParts(member?.comment?.summary).replaceAll("\n", " ");
  };
  const rows = names.map(
    (name) =>
      `| \`${name}\` | ${allowed(options[name]!)} | ${initial(options[name]!.default)} | ${words(name)} |`,
  );
  comment.summary.push({
    kind: "text",
    text: `\n\n| option | | default | |\n|---|---|---|---|\n${rows.join("\n")}\n`,
  });
  comment.blockTags.push(new CommentTag("@group", [{ kind: "text", text: "Losses" }]));
  const given = names.map((name) => `${name}?`).join(", ");
  reflection.type = new UnknownType(
    `(options?: { ${given} }) => Readonly<{ kind: "${reflection.name}", ${given} }>`,
  );
  delete reflection.defaultValue;
}

function allowed(option: Option<unknown>): string {
  const { type } = option;
  if (type === "flag") return "true or false";
  if (type === "choice") return (option as ChoiceOption<string>).choices.map(quoted).join(", ");
  if (type === "classes") return `${quoted("all")}, ${quoted("present")} or a list of class numbers`;
  if (type === "numberOrAuto") return `${quoted("auto")} or a number ${limits(option as Bounds)}`;
  if (type === "number") return `a number ${limits(option as Bounds)}`;
  const { per, single } = option as NumbersOption<unknown>;
  const list = `a list, one number ${limits(option as Bounds)} per ${per}`;
  return single === undefined ? list : `a number ${limits(single)}, or ${list}`;
}

const quoted = (word: string) => `\`"${word}"\``;

function limits({ min, max, above, below }: Bounds): string {
  const signs = { "≥": min, ">": above, "≤": max, "<": below };
  const parts = Object.entries(signs).flatMap(([sign, bound]) =>
    bound === undefined ? [] : [`${sign} ${bound}`],
  );
  return parts.join(" and ");
}

function initial(value: unknown): string {
  if (value === null) return "none";
  if (value === Math.E) return "e";
  if (typeof value === "string") return quoted(value);
  return `\`${typeof value === "number" && value > 0 && value < 1e-3 ? value.toExponential() : value}\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = (await buildDocs()) ? 0 : 1;
