/**
 * What CONTRIBUTING.md and the files for GitHub say to run is there.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { parse } from "@std/yaml";

const root = new URL("../", import.meta.url);

const WORKFLOWS = [
  ".github/workflows/ci.yml",
  ".github/workflows/publish.yml",
] as const;

const DOCUMENTS = [
  "CONTRIBUTING.md",
  ".github/pull_request_template.md",
  ...WORKFLOWS,
] as const;

/** What is read of a workflow. */
interface Workflow {
  readonly jobs: Readonly<
    Record<string, { uses?: string; steps?: { uses?: string }[] }>
  >;
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, root));
}

async function workflowAt(path: string): Promise<Workflow> {
  return parse(await read(path)) as Workflow;
}

Deno.test("CONTRIBUTING.md and the workflows run tasks that exist", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  for (const document of DOCUMENTS) {
    const named = (await read(document)).matchAll(/\bdeno task ([\w-]+)/g);
    for (const [, task] of named) {
      assert(task in tasks, `${document} runs \`deno task ${task}\``);
    }
  }
});

Deno.test("the workflows run the gate on each system", async () => {
  const ci = await read(WORKFLOWS[0]);
  assertEquals(ci.match(/deno task ok$/gm)?.length, 2);
  for (const system of ["ubuntu", "macos", "windows"]) {
    assertMatch(ci, new RegExp(`\\b${system}-\\d`));
  }
});

Deno.test("the workflows pin each action to one version", async () => {
  const used: string[] = [];
  for (const path of WORKFLOWS) {
    for (
      const { uses, steps = [] } of Object.values((await workflowAt(path)).jobs)
    ) {
      if (uses !== undefined) await Deno.stat(new URL(uses, root));
      used.push(...steps.flatMap((step) => step.uses ?? []));
    }
  }
  assertGreater(used.length, 2);
  for (const action of used) {
    assertMatch(action, /^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/);
  }
  const versions = new Set(used);
  const actions = new Set(used.map((action) => action.split("@")[0]));
  assertEquals(versions.size, actions.size, "an action has two versions");
});

Deno.test("CHANGELOG.md has the version of deno.json", async () => {
  const { version } = JSON.parse(await read("deno.json"));
  assert((await read("CHANGELOG.md")).includes(`\n## ${version}`));
});
