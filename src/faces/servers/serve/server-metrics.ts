import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineRun } from '../../../use/serving/engine-run.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128];

/** Metrics for Prometheus. */
export class ServerMetrics {
  readonly registry = new Registry();
  readonly #prefix = { registers: [this.registry] };
  readonly requests = new Counter({
    ...this.#prefix,
    name: 'adalora_requests_total',
    help: 'Answered requests',
    labelNames: ['route', 'status'],
  });
  readonly seconds = new Histogram({
    ...this.#prefix,
    name: 'adalora_request_seconds',
    help: 'Seconds from a request to the end of its answer',
    labelNames: ['route'],
    buckets: SECONDS,
  });
  readonly underWay = new Gauge({
    ...this.#prefix,
    name: 'adalora_requests_under_way',
    help: 'Requests in progress',
  });
  readonly adapters = new Gauge({
    ...this.#prefix,
    name: 'adalora_adapters',
    help: 'Served adapters',
  });
  readonly #runs = new Histogram({
    ...this.#prefix,
    name: 'adalora_run_seconds',
    help: 'Seconds per run of the engine',
    buckets: SECONDS,
  });
  readonly #rows = new Histogram({
    ...this.#prefix,
    name: 'adalora_run_rows',
    help: 'Rows or sequences per run of the engine',
    buckets: ROWS,
  });
  readonly #mixed = new Histogram({
    ...this.#prefix,
    name: 'adalora_run_adapters',
    help: 'Different adapters per run of the engine',
    buckets: ROWS,
  });
  readonly #tokens = new Counter({
    ...this.#prefix,
    name: 'adalora_tokens_total',
    help: 'Tokens computed by the engine, padding included',
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  ran({ rows, tokens, adapters, seconds }: EngineRun): void {
    this.#runs.observe(seconds);
    this.#rows.observe(rows);
    this.#mixed.observe(adapters);
    this.#tokens.inc(tokens);
  }
}
