/** Before each file of the project "guarded": the guarded module takes the place of the published one. */
import { afterEach } from "vitest";
import { expectUnharmed, guard } from "../support/guard.ts";

guard();
afterEach(expectUnharmed);
