import { describe, expect, it } from 'vitest';
import { type FinishEvent, readEvent } from '../../../training/run/events.ts';
import { groupRuns } from '../run/group-runs.ts';
import { addEvent, type RunSummary, runRecord, summarizeRun } from '../run/run-record.ts';
import { reportPage } from './page.ts';

const HOSTILE = `</script><img src=x onerror="alert('x')">\u0001`;
const MODULES = ['query', 'key'].flatMap((name) => [0, 1].map((layer) => `bert.layer.${layer}.${name}`));
const ranksOf = (rank: number) => Object.fromEntries(MODULES.map((name, i) => [name, Math.max(0, rank - i)]));

function record({
  seed = 0,
  method = 'adalora',
  hostile = '',
  base_dtype = 'float32',
  r = 2,
  name = '',
} = {}) {
  const facts = summarizeRun({
    model: `models/mini${hostile}`,
    method,
    data: { train: `data/mini${hostile}/train.tsv` },
    training: { metric_for_best_model: 'accuracy' },
    adalora: { init_r: 2 * r, target_r: r, note: hostile },
    seed,
    base_dtype,
  }) as RunSummary;
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
    ...[1, 20, 40].map((step) => ({
      type: 'orthogonality',
      step,
      modules: Object.fromEntries(MODULES.map((name, i) => [name, [4 / step, (i + 1) / step]])),
    })),
    {
      type: 'evaluation',
      step: 40,
      eval_loss: 0.5,
      eval_accuracy: 0.8 + seed / 100,
      [`eval_${hostile || 'f1'}`]: 0.7,
    },
    { type: 'notice', step: 0, message: `note ${hostile}` },
    {
      type: 'finish',
      step: 40,
      reason: 'done',
      train_runtime: 61,
      metrics: {},
      ranks: ranksOf(3),
      adapter_parameters: 100 * r,
    },
  ];
  return runRecord(
    facts,
    events.flatMap((event) => readEvent(event) ?? []),
    name,
  );
}

const page = (...records: ReturnType<typeof record>[]) => reportPage(groupRuns(records));

describe('a report', () => {
  it('states the base of a run, if it is not float32', () => {
    expect(page(record())).not.toContain('>Base<');
    expect(page(record(), record({ base_dtype: 'int8' }))).toMatch(/>Base<.*int8/s);
  });

  it('of one run has every section, named figures and no external reference', () => {
    const html = page(record());
    expect([...html.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id)).toEqual([
      'summary',
      'result',
      'notes',
      'curves',
      'cost',
      'ranks',
      'importance',
      'factors',
      'optimisation',
      'settings',
    ]);
    const charts = [...html.matchAll(/<svg [^>]*>/g)].map(([tag]) => tag);
    expect(charts.length).toBeGreaterThan(8);
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

  it('follows single triplets, if the run logged them', () => {
    const history = (component: number, kept: boolean) => ({
      module: MODULES[0]!,
      component,
      steps: [12, 20],
      importance: [0, 10 ** -component],
      kept: [true, kept],
    });
    const followed = { ...record(), histories: [history(1, true), history(2, false)] };
    expect(page(record())).not.toContain('Importance of single triplets');
    const html = page(followed);
    expect(html).toContain('Importance of single triplets');
    expect(html).toContain('bert.layer.0.query 1');
    expect(html).toContain('bert.layer.0.query 2');
  });

  it('has the budget from the start, before the first logged step', () => {
    // Ranks are 4, 3, 2 and 1 at the start. The first logged step has 14 triplets.
    expect(page(record())).toContain('<b>Budget.</b> From 10 to 8.');
  });

  it('names the seed of a confusion matrix, if there are several', () => {
    const told = (...runs: ReturnType<typeof record>[]) => {
      for (const run of runs)
        addEvent(run, {
          type: 'confusion',
          step: 40,
          labels: ['a', 'b'],
          counts: [
            [1, 2],
            [3, 4],
          ],
        });
      return page(...runs);
    };
    expect(told(record())).toContain('aria-label="Classes"');
    expect(told(record(), record({ seed: 1 }))).toContain('aria-label="Classes, seed 0 of 2"');
  });

  it('shows the most confident wrong predictions with their texts, escaped, below the confusion matrix', () => {
    const run = record();
    const mistake = { text: HOSTILE, label: 'a', predicted: 'b', probability: 0.987_6 };
    addEvent(run, {
      type: 'confusion',
      step: 40,
      labels: ['a', 'b'],
      counts: [
        [1, 1],
        [0, 1],
      ],
    });
    expect(page(run)).not.toContain('mistakes');
    run.finish = { ...run.finish!, mistakes: [mistake, { ...mistake, text: 'first', text_pair: 'second' }] };
    const html = page(run);
    expect(html).toMatch(/aria-label="Classes".*aria-label="Most confident wrong predictions"/s);
    expect(html).toContain('&lt;img src=x');
    expect(html).not.toContain('<img');
    const preview = 'data:image/bmp;base64,AA==';
    run.finish.mistakes![0]!.preview = preview;
    expect(page(run)).toContain(`<img src="${preview}" alt=""><figcaption><b>b</b> 0.988, not a<br>`);
    expect(html).toContain('<td class="text">first<br>second</td><td>a</td><td>b</td><td>0.988</td>');
  });

  it('ignores wrong predictions of a log that are too many or too long', () => {
    const mistake = { text: 'a', label: 'a', predicted: 'b', probability: 0.9 };
    const read = (mistakes: unknown) =>
      readEvent({ type: 'finish', step: 1, reason: 'done', mistakes }) as FinishEvent;
    expect(read([mistake]).mistakes).toEqual([mistake]);
    const elsewhere = { ...mistake, preview: 'https://example.org/a.png' };
    const large = { ...mistake, preview: `data:image/bmp;base64,${'A'.repeat(9400)}` };
    for (const bad of [
      new Array(21).fill(mistake),
      [{ ...mistake, text: 'a'.repeat(401) }],
      [elsewhere],
      [large],
      'x',
    ])
      expect(read(bad)).toMatchObject({ reason: 'done', mistakes: undefined });
  });

  it('of several seeds has means and their intervals', () => {
    const html = page(record(), record({ seed: 1 }), record({ method: 'lora' }));
    expect(html).toContain('<h1>AdaLoRA and LoRA on mini</h1>');
    expect(html).toContain('0.805 ± 0.064');
    expect(html).toMatch(/AdaLoRA: rank of each matrix, mean of 2 seeds/i);
    expect(html).toContain('class="band t0"');
  });

  it('draws the factors of every matrix: a plot for each kind, with a curve for each layer', () => {
    const html = page(record());
    const figure = (id: string) => new RegExp(`<svg [^>]*id="${id}".*?</svg>`, 's').exec(html)![0];
    expect(figure('factors-0-0')).toContain('>‖PᵀP − I‖²</text>');
    const titles = [...figure('factors-0-1').matchAll(/<g><title>([^<]+)</g)].map(([, text]) => text);
    expect(titles).toEqual([
      'layer 0, query: from 1 to 0.0250',
      'layer 1, query: from 2 to 0.0500',
      'layer 0, key: from 3 to 0.0750',
      'layer 1, key: from 4 to 0.100',
    ]);
    const means = [...figure('ranks-0').matchAll(/<text class="mean"[^>]*>([^<]+)/g)].map(([, mean]) => mean);
    expect(means).toEqual(['2.5', '0.5', '2.0', '1.0', '1.5']);
  });

  it('of runs without them has no such figures', () => {
    const old = { ...record(), orthogonality: [] };
    expect(page(old)).not.toContain('id="factors"');
  });

  it('draws the score against the budget if a method has several', () => {
    const runs = [1, 2, 4].map((r) => record({ r, name: `runs-r${r}` }));
    const { start, finish, ...whole } = record({ method: 'full', name: 'whole' });
    const html = page(...runs, {
      ...whole,
      allocations: [],
      start: { ...start!, ranks: {} },
      finish: { ...finish!, ranks: {}, adapter_parameters: 0 },
    });
    const [figure] = /<svg [^>]*id="result-budget".*?<\/svg>/s.exec(html)!;
    expect(figure).toContain('>parameters</text>');
    expect(figure.match(/<circle/g)).toHaveLength(3);
    expect(figure).toMatch(/class="curve t3 dashed"/);
    expect(html).toContain('<td>runs-r1</td><td>runs-r2</td><td>runs-r4</td><td>whole</td>');
    for (const told of [runs.slice(1, 2), runs.slice(0, 1), [record(), record({ seed: 1 })]])
      expect(page(...told)).not.toContain('result-budget');
  });

  it('of the same runs is the same', () => {
    expect(page(record())).toBe(page(record()));
  });

  it('of a run that has not started says so', () => {
    const html = page(
      runRecord(summarizeRun({ model: 'm', method: 'full', data: { train: 'a.tsv' }, training: {} })!, []),
    );
    expect(html).toContain('not started');
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('escapes hostile text', () => {
    const html = page(record({ hostile: HOSTILE }), record({ hostile: HOSTILE, method: 'lora' }));
    expect(html).not.toContain('<img');
    expect(html.match(/<script/g)).toHaveLength(html.match(/<\/script>/g)!.length);
    expect(html).not.toContain('\u0001');
  });

  it('contains no NaN', () => {
    expect(page(record())).not.toMatch(/NaN|undefined|Infinity/);
  });
});
