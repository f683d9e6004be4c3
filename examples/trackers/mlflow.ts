import type { TrainEvent } from 'adalora';
import { listScalars, post, Requests } from './scalars.ts';

/**
 * Sends a run to an MLflow server through its REST API:
 *
 *     const tracker = mlflow('cola', config);
 *     const { reason } = await train(config, { onEvent: tracker.onEvent });
 *     await tracker.close(reason);
 *
 * Set MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME and, if the server asks for one, MLFLOW_TRACKING_TOKEN.
 */
export function mlflow(name: string, settings: object, environment = process.env) {
  const { MLFLOW_TRACKING_URI, MLFLOW_TRACKING_TOKEN, MLFLOW_EXPERIMENT_NAME = 'adalora' } = environment;
  if (!MLFLOW_TRACKING_URI) throw new Error('Set MLFLOW_TRACKING_URI to the address of the server.');
  const api = `${MLFLOW_TRACKING_URI.replace(/\/$/, '')}/api/2.0/mlflow`;
  const send = (path: string, body: object) =>
    post(`${api}/${path}`, body, MLFLOW_TRACKING_TOKEN && `Bearer ${MLFLOW_TRACKING_TOKEN}`);
  const requests = new Requests('MLflow');
  let run_id: unknown;
  requests.add(async () => {
    const { run } = await send('runs/create', {
      experiment_id: await findExperiment(),
      run_name: name,
      start_time: Date.now(),
    });
    run_id = Object(Object(run).info).run_id;
    // A value has at most 500 characters, a request 100 parameters.
    const params = Object.entries(settings).map(([key, value]) => ({
      key,
      value: (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 500),
    }));
    await send('runs/log-batch', { run_id, params: params.slice(0, 100) });
  });

  async function findExperiment(): Promise<unknown> {
    const query = `experiment_name=${encodeURIComponent(MLFLOW_EXPERIMENT_NAME)}`;
    const found = await fetch(`${api}/experiments/get-by-name?${query}`, {
      headers: MLFLOW_TRACKING_TOKEN ? { authorization: `Bearer ${MLFLOW_TRACKING_TOKEN}` } : {},
    });
    if (found.ok) return Object(Object(await found.json()).experiment).experiment_id;
    return (await send('experiments/create', { name: MLFLOW_EXPERIMENT_NAME })).experiment_id;
  }

  return {
    onEvent(event: TrainEvent): void {
      const timestamp = Date.now();
      const metrics = listScalars(event).map(([key, value]) => ({ key, value, step: event.step, timestamp }));
      if (metrics.length > 0)
        requests.add(async () => void (await send('runs/log-batch', { run_id, metrics })));
    },
    /** @param reason of the finish event; undefined if the run failed */
    async close(reason: string | undefined): Promise<void> {
      const status = reason === undefined ? 'FAILED' : reason === 'stopped' ? 'KILLED' : 'FINISHED';
      requests.add(async () => void (await send('runs/update', { run_id, status, end_time: Date.now() })));
      await requests.settle();
    },
  };
}
