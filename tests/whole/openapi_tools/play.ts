// Plays the demo with the types that openapi-typescript makes: `play.js URL SECRET`.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };

type Schemas = components["schemas"];

const [url, secret] = process.argv.slice(2);
const client = createClient<paths>({
  baseUrl: url,
  headers: { Authorization: `Bearer ${secret}` },
});

interface Shown {
  created?: boolean;
  flow?: Schemas["Flow"] | null;
  current?: Schemas["Flow"];
  flows?: Schemas["Flow"][];
  task?: Schemas["Task"];
  summary?: Schemas["TaskSummary"] | null;
}

async function ask(body: Schemas["ActionRequest"]): Promise<Shown> {
  const { data, error, response } = await client.POST("/plugins/webhooks/{route}", {
    params: { path: { route: "zapier" } },
    body,
  });
  const shown: Shown = data ? data.result : error.result;
  const code = error ? error.code : "code" in data ? data.code : "ok";
  const flow = shown.flow ?? shown.current;
  const state = flow ? `${flow.status} ${flow.revision}` : `${shown.summary?.total} task`;
  console.log(`${body.action} ${response.status} ${code} ${state}`);
  return shown;
}

const { flow } = await ask({ action: "create_flow", goal: "Review inbound queue" });
const flowId = flow!.flowId;
const { task } = await ask({ action: "run_task", flowId, runtime: "acp", task: "Inspect" });
const taskId = task!.taskId;
await ask({ action: "update_task", flowId, taskId, status: "running" });
await ask({ action: "set_waiting", flowId, expectedRevision: 0, waitJson: { kind: "approval" } });
await ask({ action: "resume_flow", flowId, expectedRevision: 0 });
await ask({ action: "resume_flow", flowId, expectedRevision: 1, status: "running" });
await ask({ action: "cancel_flow", flowId });
await ask({ action: "update_task", flowId, taskId, status: "succeeded", error: null });
await ask({ action: "get_task_summary", flowId });
await ask({ action: "finish_flow", flowId, expectedRevision: 4 });
