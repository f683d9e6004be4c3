import { PROGRAM } from '../../../support/program.ts';
import { valueText } from '../format.ts';
import { basic, RefusedRequest, type Server, sendJson, serverAt } from './send-json.ts';
import type { Environment, Outcome, TrackedStep, Tracker } from './tracker-queue.ts';

/** Limits of MLflow's REST API for one request. */
const MAX_METRICS = 1000;
const MAX_PARAMS = 100;
/** Limit of MLflow servers before 2.9. */
const MAX_VALUE = 500;

const STATUS = {
  finished: 'FINISHED',
  stopped: 'KILLED',
  failed: 'FAILED',
} as const satisfies Record<Outcome, string>;

/**
 * MLflow's tracking server, through its REST API (mlflow.org/docs/latest/rest-api.html). It reads the environment
 * variables of MLflow's clients.
 *
 * @throws UserError without MLFLOW_TRACKING_URI
 */
export function mlflow(environment: Environment, now = Date.now): Tracker {
  const {
    MLFLOW_TRACKING_TOKEN: token,
    MLFLOW_TRACKING_USERNAME: user,
    MLFLOW_TRACKING_PASSWORD: password = '',
    MLFLOW_EXPERIMENT_NAME: experiment = PROGRAM,
  } = environment;
  const server: Server = {
    ...serverAt(environment, 'MLFLOW_TRACKING_URI'),
    ...(user && { authorization: basic(user, password) }),
    ...(token && { authorization: `Bearer ${token}` }),
  };
  const send = (path: string, body?: object) => sendJson(server, `/api/2.0/mlflow/${path}`, body);
  let run_id = '';

  async function experimentId(): Promise<unknown> {
    const found = () => send(`experiments/get-by-name?experiment_name=${encodeURIComponent(experiment)}`);
    try {
      return Object((await found()).experiment).experiment_id;
    } catch (error) {
      if (!(error instanceof RefusedRequest && error.status === 404)) throw error;
    }
    try {
      return (await send('experiments/create', { name: experiment })).experiment_id;
    } catch (error) {
      // Another run may have created the experiment in the meantime.
      if (!(error instanceof RefusedRequest && error.status === 400)) throw error;
      return Object((await found()).experiment).experiment_id;
    }
  }

  return {
    async begin({ name, settings }, id) {
      if (id !== undefined) {
        await send('runs/update', { run_id: id, status: 'RUNNING' });
        run_id = id;
        return id;
      }
      const { run } = await send('runs/create', {
        experiment_id: await experimentId(),
        run_name: name,
        start_time: now(),
        tags: [{ key: 'mlflow.source.name', value: PROGRAM }],
      });
      run_id = String(Object(Object(run).info).run_id);
      const params = Object.entries(settings).map(([key, value]) => ({
        key,
        value: valueText(value).slice(0, MAX_VALUE),
      }));
      for (const part of parts(params, MAX_PARAMS)) await send('runs/log-batch', { run_id, params: part });
      return run_id;
    },
    async log(points) {
      const metrics = points.flatMap(({ step, time, scalars }: TrackedStep) =>
        scalars.map(({ tag, value }) => ({ key: tag, value, timestamp: time, step })),
      );
      for (const part of parts(metrics, MAX_METRICS)) await send('runs/log-batch', { run_id, metrics: part });
    },
    async end(outcome) {
      await send('runs/update', { run_id, status: STATUS[outcome], end_time: now() });
    },
  };
}

function parts<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}
