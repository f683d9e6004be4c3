import { describe, expect, it } from 'vitest';
import { HEAD_KINDS } from '../../src/models/heads/registry.ts';
import { SCORES, scoreDefinition } from '../../src/scores/metrics/scores.ts';
import { TASK_NAMES, taskNamed, tasksWith } from '../../src/tasks/registry.ts';
import { parseRunConfig } from '../../src/training/run/config/parse-run-config.ts';
import { formatNotes, parseNotes } from '../../src/use/trained/notes.ts';
import { FAMILIES, tinyClassifier } from './tiny-families.ts';

describe.each(TASK_NAMES)('task %s', (name) => {
  const task = taskNamed(name);
  /** A `data` section with only the required keys. */
  const shape = task.data.shape as Record<string, { safeParse(value: unknown): { success: boolean } }>;
  const required = Object.keys(shape).filter((key) => !shape[key]!.safeParse(undefined).success);
  const least = Object.fromEntries(['train', ...required].map((key) => [key, key]));

  it('has a data section that a config accepts', () => {
    expect(shape).toHaveProperty('train');
    expect(shape).toHaveProperty('dataset');
    const config = parseRunConfig({ task: name, data: least, output: 'run' }, 'test');
    expect(config.data).toMatchObject(least);
    expect(tasksWith('train')).toContain(name);
  });

  it('has known scores with a direction', () => {
    expect(task.scores.metrics.length).toBeGreaterThan(0);
    for (const metric of task.scores.metrics) expect(SCORES).toHaveProperty(metric);
    const { training } = parseRunConfig({ task: name, data: least, output: 'run' }, 'test');
    expect(training.metric_for_best_model).toBe(task.scores.metrics[0]);
    const facts = scoreDefinition(task.scores.metrics[0]!);
    expect(training.greater_is_better).toBe(!facts?.lessIsBetter);
  });

  it('has words', () => {
    const { words } = task;
    expect(words.name).toMatch(/\w/);
    expect(words.trainedFor({})).toMatch(/\w/);
    expect(words.use({}).command).toMatch(/^adalora \w+ \. /);
    const { autoModel, lines } = words.python({ max_length: 8 }, { folder: 'adapter', normalize: false });
    expect(autoModel).toMatch(/^AutoModel/);
    expect(lines.length).toBeGreaterThan(0);
  });

  it('predicts, or suggests an alternative', () => {
    if (!task.prediction) expect(task.words.instead).toContain('adalora');
  });

  it('stores the settings for prediction beside an adapter', () => {
    const { data } = parseRunConfig({ task: name, data: least, output: 'run' }, 'test');
    const notes = parseNotes(JSON.parse(formatNotes({ task: name, data }, ['a', 'b'], 64)), 'test');
    expect(notes).toMatchObject({ task: name, labels: ['a', 'b'] });
    expect(notes.data.max_length).toBe(64);
    expect(notes.data).not.toHaveProperty('train');
  });

  it('builds a model with a head of some family', () => {
    const built = FAMILIES.flatMap((family) => {
      const { definition, config } = tinyClassifier(family);
      try {
        return task.build(['a', 'b'])(definition, config).headKind;
      } catch (error) {
        expect((error as Error).message).toContain('has no head');
        return [];
      }
    });
    expect(built.length).toBeGreaterThan(0);
    for (const kind of built) expect(HEAD_KINDS).toContain(kind);
  });
});
