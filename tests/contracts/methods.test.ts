import { describe, expect, it } from 'vitest';
import { eva } from '../../examples/methods/eva.mjs';
import { flexLora } from '../../examples/methods/flexlora.mjs';
import { gora } from '../../examples/methods/gora.mjs';
import { increLora } from '../../examples/methods/increlora.mjs';
import { sensitivityLora } from '../../examples/methods/sensitivity-lora.mjs';
import { input } from '../../src/engine/graph/build.ts';
import { Graph, type Value } from '../../src/engine/graph/graph.ts';
import { verify } from '../../src/engine/graph/verify.ts';
import type { AnyMethod } from '../../src/methods/tuners/method-definition.ts';
import { adapterKinds, findKind, METHOD_NAMES, methodNamed } from '../../src/methods/tuners/registry.ts';
import { adapterParameters, type ReadRange, type TunableModel } from '../../src/methods/tuners/tuner.ts';
import { initialize } from '../../src/models/bind-checkpoint.ts';
import { evaluationGraph, trainingGraph } from '../../src/program/training-graph.ts';
import { elementCount } from '../../src/support/arrays.ts';
import { gatherValues } from '../../src/support/numbers.ts';
import { FAMILIES, tinyModels } from './tiny-families.ts';

/** Optimizer steps of the runs: room for every phase of a budget. */
const STEPS = 40;

/** Distinct numbers for all elements, as after training. */
const distinct = (length: number) => Float32Array.from({ length }, (_, i) => 0.01 + (i % 997) / 1000);

/** The methods of the package, and those of `examples/methods`. */
const METHODS: [name: string, definition: AnyMethod][] = [
  ...METHOD_NAMES.map((name): [string, AnyMethod] => [name, methodNamed(name)]),
  ...Object.entries({ eva, gora, sensitivityLora, flexLora, increLora }),
];

describe.each(METHODS)('method %s', (_, definition) => {
  const { config: schema } = definition;
  // A schedule in which the budget decreases.
  const settings = schema?.parse('tinit' in schema.shape ? { tinit: '10%', tfinal: '30%' } : {});
  const start = (model: TunableModel) => definition.start(model, { ...settings }, STEPS);

  it('has words, a learning rate, and defaults for all of its settings', () => {
    const { words, learningRate, config, vectors } = definition;
    expect(words.title).toMatch(/\w/);
    expect(words.tags.length).toBeGreaterThan(0);
    expect(learningRate).toBeGreaterThan(0);
    // Values, gradient, two moments, and a copy at a checkpoint.
    expect(vectors).toBeGreaterThanOrEqual(5);
    if (config) expect(config.safeParse({}).success).toBe(true);
  });

  it('writes adapters, or trains the model itself', () => {
    expect(definition.kind !== undefined).toBe(definition.trains === 'adapter');
    if (definition.continues) expect(definition.kind).toBeDefined();
  });

  const fitting = FAMILIES.map((family) => ({ family, model: tinyModels(family)[0]! }));

  describe.each(fitting)('on $family', ({ model }) => {
    const run = start(model);
    const { tuner } = run;
    const read = (parameter: string, shape: readonly number[]) => initialize(parameter, shape, 1, 0.1);

    it('trains the head, and names each trained parameter once', () => {
      const names = tuner.layout.segments.map((segment) => segment.name);
      const head = [...model.parameters.keys()].filter((parameter) =>
        model.head.modules.some((module) => parameter.startsWith(`${module}.`)),
      );
      expect(names).toEqual(expect.arrayContaining(head));
      expect(new Set(names).size).toBe(names.length);
    });

    it('starts from finite values that depend only on the seed', () => {
      const values = tuner.initialValues(3, read);
      expect(values).toHaveLength(tuner.layout.length);
      expect(values.every(Number.isFinite)).toBe(true);
      expect(tuner.initialValues(3, read)).toEqual(values);
    });

    it('builds valid graphs for training and for prediction', () => {
      const { outputs } = trainingGraph(model.buildLoss, tuner);
      verify(Object.values(outputs));
      expect(outputs.gradient!.shape).toEqual([tuner.layout.length]);
      expect(() => trainingGraph(model.buildLoss, tuner, { gradientCheckpointing: true })).not.toThrow();
      verify(Object.values(evaluationGraph(model, tuner, 'logits')));
    });

    it('has a regularizer over the start of the vector', () => {
      const { regularizer } = tuner;
      if (!regularizer) return;
      const covered = regularizer.views.reduce((sum, shape) => sum + elementCount(shape), 0);
      expect(covered).toBeLessThanOrEqual(tuner.layout.length);
      const graph = new Graph();
      const views = regularizer.views.map(
        (shape, i): Value => input(graph, `view ${i}`, 'float32', [...shape]),
      );
      expect(regularizer.build(views).shape).toEqual([]);
      expect(definition.words.regularizer?.({})).toMatch(/\w/);
    });

    it('resumes from its own state', () => {
      const other = start(model);
      let values: Float32Array = distinct(tuner.layout.length);
      for (let step = 1; step <= 8; step++) {
        run.beforeStep?.(step, values, values);
        const relayout = run.afterStep?.(step, values, values).relayout;
        if (!relayout) continue;
        values = gatherValues(values, relayout.indices);
        relayout.begin?.(values);
        expect(values).toHaveLength(run.tuner.layout.length);
      }
      other.restore(structuredClone(run.state()));
      expect(other.state()).toEqual(run.state());
      expect(other.ranks()).toEqual(run.ranks());
      expect(other.settled).toBe(run.settled);
    });

    it('reads the adapter that it stores', () => {
      if (definition.trains === 'model') return expect(run.store).toBeUndefined();
      const fresh = start(model);
      const values = distinct(fresh.tuner.layout.length);
      const stored = fresh.store!(values, 'base');
      expect(stored).toMatchObject({ baseModel: 'base' });
      const kind = findKind(stored, 'x');
      expect(adapterKinds()).toContain(kind);
      const back = kind.import(model, stored, 'x');
      const names = fresh.tuner.layout.segments.map((segment) => segment.name);
      if (names.every((parameter) => back.tuner.layout.find(parameter)))
        for (const parameter of names) {
          const before = fresh.tuner.layout.read(values, parameter);
          expect(back.tuner.layout.read(back.values, parameter)).toEqual(before);
        }
      // Its files have another form of the same weights.
      else {
        const readBase: ReadRange = (parameter, start, end) =>
          read(parameter, model.parameters.get(parameter)!).slice(start, end);
        const [before, after] = [
          fresh.tuner.merged!(values, readBase),
          back.tuner.merged!(back.values, readBase),
        ];
        for (const [parameter, shape] of model.parameters) {
          const expected = before(parameter, 0, elementCount(shape));
          const found = after(parameter, 0, elementCount(shape));
          // Products of three numbers, rounded in another order.
          expected.forEach((value, i) =>
            expect(Math.abs(found[i]! - value)).toBeLessThan(1e-4 * (1 + Math.abs(value))),
          );
        }
      }
      const facts = kind.facts(stored, 'x');
      expect(facts.ranks).toEqual(fresh.ranks());
      const own = [...stored.tensors].filter(([key]) => facts.isOwn(key));
      expect(own.length).toBeGreaterThan(0);
    });

    it('merges, or says why it cannot', () => {
      const { kind } = definition;
      if (!tuner.merged) return expect(kind?.unmergeable).toMatch(/\w/);
      const merged = tuner.merged(distinct(tuner.layout.length), (parameter, start, end) =>
        read(parameter, model.parameters.get(parameter)!).slice(start, end),
      );
      const [parameter, shape] = [...model.parameters][0]!;
      expect(merged(parameter, 1, elementCount(shape))).toHaveLength(elementCount(shape) - 1);
    });

    it('counts the trained parameters of its sites', () => {
      expect(adapterParameters(tuner)).toBeLessThanOrEqual(tuner.layout.length);
      expect(Object.keys(run.ranks()).length).toBeLessThanOrEqual(tuner.sites.length);
    });
  });
});
