import { describe, expect, it } from 'vitest';
import { readEvent } from '../../run/events.ts';
import { groupRuns } from '../run/group-runs.ts';
import { type RunFacts, runFacts } from '../run/run-facts.ts';
import { runRecord } from '../run/run-record.ts';
import { liveSections } from './live-page.ts';
import { reportPage } from './report-page.ts';

const HOSTILE = `</script><img src=x onerror="alert('x')">\u0001`;
const MODULES = ['query', 'key'].flatMap((name) => [0, 1].map((layer) => `bert.layer.${layer}.${name}`));
const ranksOf = (rank: number) => Object.fromEntries(MODULES.map((name, i) => [name, Math.max(0, rank - i)]));

function record({ seed = 0, method = 'adalora', hostile = '', base_dtype = 'float32' } = {}) {
  const facts = runFacts({
    model: `models/mini${hostile}`,
    method,
    data: { train: `data/mini${hostile}/train.tsv` },
    training: { metric_for_best_model: 'accuracy' },
    adalora: { init_r: 4, target_r: 2, note: hostile },
    seed,
    base_dtype,
  }) as RunFacts;
  const events = [
    { type: 'start', step: 0, total_steps: 40, num_train_epochs: 2, train_examples: 320, ranks: ranksOf(4) },
    ...[10, 20, 30, 40].map((step) => ({
      type: 'step',
      step,
      loss: 1 / step + seed / 100,
      budget: 16 - step / 5,
      regularizer: 1 / step,
      examples_per_second: 100,
      peak_memory_mb: 300,
    })),
    ...[12, 20].map((step) => ({
      type: 'allocation',
      step,
      budget: 8,
      threshold: 1e-9,
      final: step === 20,
      ranks: ranksOf(step === 20 ? 3 : 4),
      scores: MODULES.map(() => [-8, -8.5, -9.5, null]),
    })),
    {
      type: 'evaluation',
      step: 40,
      eval_loss: 0.5,
      eval_accuracy: 0.8 + seed / 100,
      [`eval_${hostile || 'f1'}`]: 0.7,
    },
    { type: 'notice', step: 0, message: `note ${hostile}` },
    { type: 'finish', step: 40, reason: 'done', train_runtime: 61, metrics: {}, ranks: ranksOf(3) },
  ];
  return runRecord(
    facts,
    events.flatMap((event) => readEvent(event) ?? []),
  );
}

const page = (...records: ReturnType<typeof record>[]) =>
  reportPage(groupRuns(records), "default-src 'none'");

describe('a report', () => {
  it('says over which base a run was, where it is not float32', () => {
    expect(page(record())).not.toContain('>Base<');
    expect(page(record(), record({ base_dtype: 'int8' }))).toMatch(/>Base<.*int8/s);
  });

  it('of one run has every section, named figures and no reference to elsewhere', () => {
    const html = page(record());
    expect([...html.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id)).toEqual([
      'summary',
      'result',
      'cost',
      'ranks',
      'importance',
      'curves',
      'optimisation',
      'settings',
      'notes',
    ]);
    const charts = [...html.matchAll(/<svg [^>]*>/g)].map(([tag]) => tag);
    expect(charts.length).toBeGreaterThan(10);
    for (const tag of charts) {
      const [, title, description] = /role="img" aria-labelledby="([^ ]+) ([^"]+)"/.exec(tag) ?? [];
      expect(html).toMatch(
        new RegExp(`<title id="${title}">[^<]+</title><desc id="${description}">[^<]+</desc>`),
      );
    }
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.length).toBe(new Set(ids).size);
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|\/\//);
  });

  it('of several seeds has means and their intervals', () => {
    const html = page(record(), record({ seed: 1 }), record({ method: 'lora' }));
    expect(html).toContain('<h1>AdaLoRA and LoRA on mini</h1>');
    expect(html).toContain('0.805 ± 0.064');
    expect(html).toMatch(/AdaLoRA: rank of each matrix, mean of 2 seeds/i);
    expect(html).toContain('class="band t0"');
  });

  it('of the same runs is the same', () => {
    expect(page(record())).toBe(page(record()));
  });

  it('of a run that has not begun says so', () => {
    const html = page(
      runRecord(runFacts({ model: 'm', method: 'full', data: { train: 'a.tsv' }, training: {} })!, []),
    );
    expect(html).toContain('not begun');
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('shows hostile text as text', () => {
    const html = page(record({ hostile: HOSTILE }), record({ hostile: HOSTILE, method: 'lora' }));
    expect(html).not.toContain('<img');
    expect(html.match(/<script/g)).toHaveLength(html.match(/<\/script>/g)!.length);
    expect(html).not.toContain('\u0001');
  });

  it('has no number that is none', () => {
    expect(page(record())).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('a live page', () => {
  it('has a place for every section from the beginning', () => {
    const empty = runRecord(record().facts, []);
    const states = [empty, record()].map((state) =>
      liveSections({ record: state, isStopping: false, secondsLeft: Number.NaN }),
    );
    const [before, after] = states.map((sections) => sections.map(({ id }) => id));
    expect(before).toEqual(after);
    expect(states[0].find(({ id }) => id === 'ranks')?.html).toContain('<section id="ranks" hidden>');
    expect(states[0][0].html).toContain('Loading model and data');
    expect(states[1][0].html).toContain('The run is over: done, after 1:01 min.');
  });

  it('tells a failure, escaped', () => {
    const failure = `data.tsv: ${HOSTILE}`;
    const [status] = liveSections({ record: record(), isStopping: false, secondsLeft: 1, failure });
    expect(status.html).toContain('The run failed: data.tsv: &lt;/script&gt;');
    expect(status.html).not.toContain('<form');
  });
});
