import { mapValues } from '../../../support/options.ts';
import { PROGRAM } from '../../../support/program.ts';
import { UserError } from '../../../support/user-error.ts';
import { basic, type Server, sendJson, serverAt } from './send-json.ts';
import type { Environment, Outcome, TrackedStep, Tracker } from './tracker-queue.ts';

/** The exit codes that Weights & Biases' Python client reports. */
const EXIT_CODES = { finished: 0, stopped: 255, failed: 1 } as const satisfies Record<Outcome, number>;

const UPSERT = `mutation UpsertBucket($name: String, $project: String, $entity: String, $displayName: String, $config: JSONString) {
  upsertBucket(input: {name: $name, modelName: $project, entityName: $entity, displayName: $displayName, config: $config}) {
    bucket { name historyLineCount project { name entity { name } } }
  }
}`;

/**
 * Weights & Biases, through the GraphQL mutation and the file stream that its Python client uses (wandb/wandb,
 * sdk/internal). It reads the same environment variables as that client.
 *
 * @throws UserError without WANDB_API_KEY
 */
export function wandb(environment: Environment, now = Date.now, newId = randomId): Tracker {
  const { WANDB_API_KEY: key, WANDB_PROJECT: project = PROGRAM, WANDB_ENTITY: entity } = environment;
  if (!key)
    throw new UserError({
      key: 'training.report_to',
      fault: 'needs the environment variable WANDB_API_KEY for wandb',
    });
  const server: Server = {
    ...serverAt(environment, 'WANDB_BASE_URL', 'https://api.wandb.ai'),
    authorization: basic('api', key),
  };
  const startedAt = now();
  const summary: Record<string, number> = {};
  let stream = '';
  /** Number of lines that the server has in the run's history. */
  let lines = 0;
  return {
    async begin({ name: displayName, settings }, id = newId()) {
      const config = mapValues(settings, (value) => ({ value }));
      const variables = { name: id, project, entity, displayName, config: JSON.stringify(config) };
      const { data, errors } = await sendJson(server, '/graphql', { query: UPSERT, variables });
      const bucket = Object(Object(Object(data).upsertBucket).bucket);
      const owner = Object(Object(bucket.project).entity).name;
      if (Array.isArray(errors) || typeof owner !== 'string') {
        const [said] = Array.isArray(errors) ? errors : [];
        const message = String(Object(said).message ?? 'without a reason').slice(0, 200);
        throw new Error(`${new URL(server.base).host} refused the run: ${message}`);
      }
      const path = [owner, bucket.project.name, bucket.name].map((part) => encodeURIComponent(String(part)));
      stream = `/files/${path.join('/')}/file_stream`;
      lines = Number(bucket.historyLineCount ?? 0);
      return String(bucket.name);
    },
    async log(points) {
      const content = [...bySteps(points)].map(([step, { time, values }]) => {
        Object.assign(summary, values, { _step: step });
        return JSON.stringify({
          ...values,
          _step: step,
          _timestamp: time / 1000,
          _runtime: (time - startedAt) / 1000,
        });
      });
      await sendJson(server, stream, {
        files: {
          'wandb-history.jsonl': { offset: lines, content },
          'wandb-summary.json': { offset: 0, content: [JSON.stringify(summary)] },
        },
      });
      lines += content.length;
    },
    async end(outcome) {
      await sendJson(server, stream, { complete: true, exitcode: EXIT_CODES[outcome] });
    },
  };
}

/** Combines the points of each step to one line of the history. */
function bySteps(
  points: readonly TrackedStep[],
): Map<number, { time: number; values: Record<string, number> }> {
  const steps = new Map<number, { time: number; values: Record<string, number> }>();
  for (const { step, time, scalars } of points) {
    const values = steps.get(step)?.values ?? {};
    for (const { tag, value } of scalars) values[tag] = value;
    steps.set(step, { time, values });
  }
  return steps;
}

/** Eight lowercase letters and digits, like the ids of the Python client. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => (byte % 36).toString(36)).join('');
}
