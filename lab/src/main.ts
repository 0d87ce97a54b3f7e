/** Starts the page once the module is there. */
import { init } from "segrad";
import { Laboratory, names } from "./laboratory.ts";
import { descentView } from "./view/descent.ts";
import { byId } from "./view/dom.ts";
import { driftView } from "./view/drift.ts";
import { mixEditor } from "./view/mixEditor.ts";
import { sceneControls } from "./view/sceneControls.ts";
import { stageView } from "./view/stage.ts";

try {
  await init();
  const laboratory = new Laboratory();
  stageView(laboratory);
  sceneControls(laboratory);
  byId("mixes").append(
    ...laboratory.mixes.map((mix, i) => mixEditor(names[i]!, mix, () => laboratory.remix(i as 0 | 1))),
  );
  descentView(laboratory);
  driftView(laboratory);
  document.documentElement.dataset["state"] = "ready";
} catch (error) {
  byId("start-problem").textContent = `The page cannot start: ${(error as Error).message}`;
  document.documentElement.dataset["state"] = "failed";
}
