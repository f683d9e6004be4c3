import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A run on the server, as MLflow and W&B store it. */
export interface SeenRun {
  experiment: string;
  name: string;
  status: string;
  settings: Record<string, unknown>;
  /** [step, name, value], in the order of arrival. */
  metrics: [number, string, number][];
  summary: Record<string, number>;
  /** Number of lines of W&B's history. A step has several if its values came in several requests. */
  lines: number;
}

interface MlflowBody {
  name: string;
  experiment_id: string;
  run_id: string;
  run_name: string;
  start_time: number;
  status: string;
  params?: { key: string; value: string }[];
  metrics?: { key: string; value: number; step: number; timestamp: number }[];
}

interface StreamBody {
  files?: Record<string, { offset: number; content: string[] }>;
  complete?: boolean;
  exitcode?: number;
}

/**
 * A server with the parts of MLflow's REST API and of W&B's protocol that a run needs. It checks requests like them:
 * unknown ids are rejected, MLflow's params keep their first value, and W&B's history grows only at its end.
 */
export class TrackingServer {
  readonly runs = new Map<string, SeenRun>();
  readonly authorizations: (string | undefined)[] = [];
  /** The status of the next answers, if they should fail. */
  failing: number | undefined;
  readonly #experiments = new Map<string, string>();
  readonly #server = createServer((request, response) => {
    this.#answer(request).then(
      ([status, body]) => response.writeHead(status).end(JSON.stringify(body)),
      (error) => response.writeHead(500).end(JSON.stringify({ message: `${error}` })),
    );
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage): Promise<[status: number, body: object]> {
    const content = await text(request);
    this.authorizations.push(request.headers.authorization);
    if (this.failing !== undefined) return [this.failing, { message: 'out of order' }];
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://server');
    const body = content === '' ? {} : JSON.parse(content);
    const mlflow = '/api/2.0/mlflow/';
    if (pathname.startsWith(mlflow)) return this.#mlflow(pathname.slice(mlflow.length), body, searchParams);
    if (pathname === '/graphql') return this.#upsert(body.variables);
    const [, stream] = /^\/files\/me\/[^/]+\/([^/]+)\/file_stream$/.exec(pathname) ?? [];
    const run = this.runs.get(stream!);
    if (!run) return [404, { error: 'run not found' }];
    return this.#stream(run, body);
  }

  #mlflow(path: string, body: MlflowBody, query: URLSearchParams): [number, object] {
    const name = query.get('experiment_name') ?? '';
    if (path === 'experiments/get-by-name') {
      const experiment_id = this.#experiments.get(name);
      return experiment_id
        ? [200, { experiment: { experiment_id } }]
        : [404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'no such experiment' }];
    }
    if (path === 'experiments/create') {
      const experiment_id = `${this.#experiments.size + 1}`;
      this.#experiments.set(body.name, experiment_id);
      return [200, { experiment_id }];
    }
    if (path === 'runs/create') {
      const id = `run${this.runs.size}`;
      const [experiment] = [...this.#experiments].find(([, id]) => id === body.experiment_id) ?? [];
      if (experiment === undefined || typeof body.start_time !== 'number') return [400, { message: 'bad' }];
      this.#add(id, experiment, body.run_name);
      return [200, { run: { info: { run_id: id } } }];
    }
    const run = this.runs.get(body.run_id);
    if (!run) return [404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'no such run' }];
    if (path === 'runs/update') run.status = body.status;
    else if (path !== 'runs/log-batch') return [404, { message: 'no such endpoint' }];
    const { params = [], metrics = [] } = body;
    if (params.length > 100 || metrics.length > 1000) return [400, { message: 'too many' }];
    for (const { key, value } of params) {
      if (typeof value !== 'string' || (key in run.settings && run.settings[key] !== value))
        return [400, { message: `param ${key}` }];
      run.settings[key] = value;
    }
    for (const { key, value, step, timestamp } of metrics) {
      if (![value, step, timestamp].every(Number.isFinite)) return [400, { message: `metric ${key}` }];
      run.metrics.push([step, key, value]);
    }
    return [200, {}];
  }

  #upsert({ name, project, displayName, config }: Record<string, string>): [number, object] {
    const run = this.runs.get(name!) ?? this.#add(name!, project!, displayName!);
    run.status = 'running';
    const settings = JSON.parse(config!) as Record<string, { value: unknown }>;
    run.settings = Object.fromEntries(Object.entries(settings).map(([key, { value }]) => [key, value]));
    const bucket = { name, historyLineCount: run.lines, project: { name: project, entity: { name: 'me' } } };
    return [200, { data: { upsertBucket: { bucket } } }];
  }

  #stream(run: SeenRun, { files = {}, complete, exitcode }: StreamBody): [number, object] {
    const { 'wandb-history.jsonl': history, 'wandb-summary.json': summary } = files;
    if (history) {
      const { lines } = run;
      if (history.offset !== lines) return [400, { error: `offset ${history.offset}, not ${lines}` }];
      run.lines += history.content.length;
      for (const line of history.content) {
        const { _step, _timestamp, _runtime, ...values } = JSON.parse(line);
        if (![_step, _timestamp, _runtime].every(Number.isFinite)) return [400, { error: 'line' }];
        for (const [name, value] of Object.entries(values)) run.metrics.push([_step, name, value as number]);
      }
    }
    if (summary) run.summary = JSON.parse(summary.content[0]!);
    if (complete) run.status = `exit ${exitcode}`;
    return [200, {}];
  }

  #add(id: string, experiment: string, name: string): SeenRun {
    const run: SeenRun = {
      experiment,
      name,
      status: 'RUNNING',
      settings: {},
      metrics: [],
      summary: {},
      lines: 0,
    };
    this.runs.set(id, run);
    return run;
  }
}
