import type { TrainEvent } from 'adalora';
import { listScalars, post, Requests } from './scalars.ts';

const UPSERT = `mutation Upsert($name: String, $project: String, $entity: String, $displayName: String, $config: JSONString) {
  upsertBucket(input: {name: $name, modelName: $project, entityName: $entity, displayName: $displayName, config: $config}) {
    bucket { name project { name entity { name } } }
  }
}`;

/**
 * Sends a run to Weights & Biases through the HTTP interface of its clients:
 *
 *     const tracker = wandb('cola', config);
 *     const { reason } = await train(config, { onEvent: tracker.onEvent });
 *     await tracker.close(reason);
 *
 * Set WANDB_API_KEY, and if you like WANDB_PROJECT, WANDB_ENTITY and WANDB_BASE_URL.
 */
export function wandb(displayName: string, settings: object, environment = process.env) {
  const { WANDB_API_KEY: key, WANDB_PROJECT: project = 'adalora', WANDB_ENTITY: entity } = environment;
  const base = environment.WANDB_BASE_URL ?? 'https://api.wandb.ai';
  if (!key) throw new Error('Set WANDB_API_KEY.');
  const send = (path: string, body: object) => post(`${base}${path}`, body, `Basic ${btoa(`api:${key}`)}`);
  const requests = new Requests('Weights & Biases');
  const startedAt = Date.now();
  let stream = '';
  let offset = 0;
  requests.add(async () => {
    const values = Object.entries(settings).map(([name, value]) => [name, { value }]);
    const name = Math.random().toString(36).slice(2, 10);
    const config = JSON.stringify(Object.fromEntries(values));
    const { data } = await send('/graphql', {
      query: UPSERT,
      variables: { name, project, entity, displayName, config },
    });
    const bucket = Object(Object(Object(data).upsertBucket).bucket);
    const path = [bucket.project.entity.name, bucket.project.name, bucket.name].map(encodeURIComponent);
    stream = `/files/${path.join('/')}/file_stream`;
  });
  return {
    onEvent(event: TrainEvent): void {
      const scalars = listScalars(event);
      if (scalars.length === 0) return;
      const now = Date.now();
      const line = JSON.stringify({
        ...Object.fromEntries(scalars),
        _step: event.step,
        _timestamp: now / 1000,
        _runtime: (now - startedAt) / 1000,
      });
      requests.add(async () => {
        await send(stream, { files: { 'wandb-history.jsonl': { offset, content: [line] } } });
        offset++;
      });
    },
    /** @param reason of the finish event; undefined if the run failed */
    async close(reason: string | undefined): Promise<void> {
      const exitcode = reason === undefined ? 1 : reason === 'stopped' ? 255 : 0;
      requests.add(async () => void (await send(stream, { complete: true, exitcode })));
      await requests.settle();
    },
  };
}
