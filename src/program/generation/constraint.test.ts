import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { describeCall, readToolCalls } from '../../input/text/chat/tool-calls.ts';
import { Random } from '../../support/random.ts';
import { constrain } from './constraint.ts';
import { generate } from './generate.ts';
import { generationSettings } from './generation-settings.ts';
import type { ResponseFormat } from './json-grammar.ts';
import type { LanguageModel } from './language-model.ts';

const PIECES = [
  '": ',
  '", "',
  '{"',
  '"}',
  '}}',
  '[[',
  ', "',
  '123',
  'true',
  'null',
  '  ',
  'hello',
  'é',
  '"kind',
];
const END = 256 + PIECES.length;
/** Every byte, some longer tokens, and an end token. */
const BYTES = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...PIECES.map((piece) => new TextEncoder().encode(piece)),
  undefined,
];

/** With every byte after up to nine letters. */
const LONGER = Array.from({ length: 2560 }, (_, i) =>
  Uint8Array.of(...new Uint8Array(i >> 8).fill(97), i & 255),
);

/** Gives random logits, different ones for each row and step. */
function randomModel(seed: number): LanguageModel {
  const random = new Random(seed, 'logits', 0);
  return {
    vocabSize: BYTES.length,
    maxPositions: 4096,
    read: async (_, rows) => Float32Array.from({ length: rows * BYTES.length }, () => random.uniform() * 6),
  };
}

function textOf(row: Int32Array): string {
  const bytes = Array.from(row.subarray(1)).flatMap((token) => [...(BYTES[token] ?? [])]);
  return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
}

async function write(format: ResponseFormat, user: object, rows = 1, seed = 0): Promise<string[]> {
  const settings = generationSettings({
    user: { eos_token_id: END, pad_token_id: END, max_new_tokens: 60, ...user },
  });
  const constraint = constrain(format, BYTES, [END]);
  const prompts = Array.from({ length: rows }, () => [65]);
  return (await generate(randomModel(seed), prompts, settings, { seed, constraint })).map(textOf);
}

const POINT = {
  type: 'object',
  properties: {
    x: { type: 'number', minimum: -1.1, maximum: 10.25 },
    y: { type: 'integer', exclusiveMinimum: 7 },
  },
  required: ['x', 'y'],
  additionalProperties: false,
};
const SCHEMAS: Record<string, unknown>[] = [
  POINT,
  {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 2, maxLength: 6 },
      kind: { enum: ['a "quote"', 'é', 3, null, { deep: [1] }] },
      tags: { type: 'array', items: { type: ['string', 'null'], maxLength: 4 }, minItems: 1, maxItems: 3 },
      note: { type: 'string' },
    },
    required: ['name', 'tags'],
  },
  {
    type: 'array',
    prefixItems: [{ type: 'boolean' }, { const: 'é' }],
    items: { $ref: '#/$defs/p' },
    $defs: { p: POINT },
  },
  {
    $defs: {
      tree: {
        type: 'object',
        properties: {
          value: { type: 'integer', minimum: -20, maximum: -3 },
          children: { type: 'array', items: { $ref: '#/$defs/tree' } },
        },
        required: ['value', 'children'],
        additionalProperties: false,
      },
    },
    $ref: '#/$defs/tree',
  },
  {
    oneOf: ['circle', 'square'].map((kind) => ({
      type: 'object',
      properties: {
        kind: { type: 'string', const: kind },
        size: { type: 'number', minimum: 0.1, maximum: 0.3 },
      },
      required: ['kind', 'size'],
    })),
  },
  {
    type: 'object',
    propertyNames: { enum: ['one', 'two'] },
    additionalProperties: { anyOf: [{ type: 'null' }, { type: 'integer' }] },
  },
  { type: 'object' },
];

describe('texts of random logits', () => {
  it.each(SCHEMAS.map((schema) => [JSON.stringify(schema).slice(0, 60), schema] as const))(
    'fit %s',
    async (_, schema) => {
      const validate = new Ajv2020({ strict: false }).compile(schema);
      const texts = await Promise.all([
        write({ type: 'json_schema', schema }, { do_sample: true }, 50),
        write({ type: 'json_schema', schema }, { do_sample: true, top_k: 2, min_new_tokens: 59 }, 25, 1),
        ...Array.from({ length: 25 }, (_, seed) =>
          write({ type: 'json_schema', schema }, { num_beams: 3, do_sample: seed % 2 === 0 }, 1, seed),
        ),
      ]);
      expect(texts.flat()).toHaveLength(100);
      for (const text of texts.flat()) {
        const value = JSON.parse(text);
        expect(validate(value), `${text} ${JSON.stringify(validate.errors)}`).toBe(true);
      }
      expect(new Set(texts.flat()).size).toBeGreaterThan(10);
    },
  );

  it('are choices, also one that begins another', async () => {
    const choices = ['yes', 'yes, sir', 'né'];
    const texts = await write({ type: 'choice', choices }, { do_sample: true }, 60);
    expect([...new Set(texts)].sort()).toEqual([...choices].sort());
  });

  it('are JSON objects', async () => {
    const texts = await write({ type: 'json_object' }, { do_sample: true }, 30);
    for (const text of texts) expect(JSON.parse(text)).toBeTypeOf('object');
  });
});

describe('a schema that cannot be kept is refused', () => {
  it.each(
    (
      [
        [{ type: 'string', pattern: 'a+' }, 'the schema at # has the keyword pattern, which cannot be kept'],
        [
          { properties: { a: { type: 'string', format: 'email' } } },
          'the schema at #/properties/a has the keyword format',
        ],
        [{ type: 'array', uniqueItems: true }, 'uniqueItems'],
        [{ type: 'wrong' }, 'the schema at #/type must be one of'],
        [{ type: 'string', minLength: 5, maxLength: 2 }, 'fits no finite value'],
        [{ type: 'integer', minimum: 2.1, maximum: 2.9 }, 'fits no finite value'],
        [{ type: 'object', properties: { a: false }, required: ['a'] }, 'fits no finite value'],
        [{ $defs: { a: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }, 'fits no finite value'],
        [{ type: 'array', minItems: 1, items: { $ref: '#' } }, 'fits no finite value'],
        [{ $ref: 'https://example.com' }, 'only references into the schema itself'],
        [{ $ref: '#/$defs/none' }, 'which does not exist'],
        [{ allOf: [{ type: 'string' }, { type: 'integer' }] }, 'allOf'],
        [{ type: 'object', anyOf: [{}] }, 'combines anyOf with type'],
        [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, 'may fit the same value'],
        [{ enum: ['x'.repeat(70_000)] }, 'has more than 65536 characters'],
        [nested(80, (inner) => ({ type: 'array', items: inner })), 'is nested more than 64 deep'],
        [nested(6000, (inner) => ({ items: inner })), 'more than'],
      ] as [unknown, string][]
    ).map(([schema, reason]) => [reason, schema] as const),
  )('with the reason: %s', (reason, schema) => {
    expect(() =>
      constrain({ type: 'json_schema', schema: schema as object as Record<string, unknown> }, BYTES, [END]),
    ).toThrow(reason);
  });

  it('if too many alternatives begin alike', async () => {
    const schema = nested(12, (inner) => ({
      anyOf: ['b', 'c'].map((key) => ({
        type: 'object',
        properties: { a: inner, [key]: {} },
        required: ['a'],
      })),
    }));
    const format: ResponseFormat = { type: 'json_schema', schema: { $ref: '#/$defs/0', $defs: defs(14) } };
    await expect(write(format, { do_sample: true, max_new_tokens: 400 }, 20)).rejects.toThrow('begin alike');
    expect(() => constrain({ type: 'json_schema', schema }, BYTES, [END])).toThrow('characters');
  });

  it('if a mask costs too much', () => {
    const anyOf = Array.from({ length: 500 }, (_, i) => ({ type: 'string', maxLength: i + 1000 }));
    const format: ResponseFormat = { type: 'json_schema', schema: { anyOf } };
    const process = constrain(format, LONGER, [END])({ begun: 0, least: 0, most: 100 });
    expect(() => process(new Float32Array(LONGER.length), [0x22], 0)).toThrow('or costly ones');
  });

  it('without an end token', () => {
    expect(() => constrain({ type: 'json_object' }, BYTES, [])).toThrow('needs a token that ends a text');
  });
});

function nested(depth: number, wrap: (inner: object) => Record<string, unknown>): Record<string, unknown> {
  let schema: Record<string, unknown> = { type: 'null' };
  for (let i = 0; i < depth; i++) schema = wrap(schema);
  return schema;
}

/** Each schema has two alternatives that begin with the next one. */
function defs(count: number) {
  return Object.fromEntries(
    Array.from({ length: count + 1 }, (_, i) => [
      i,
      i === count
        ? { type: 'null' }
        : {
            anyOf: ['b', 'c'].map((key) => ({
              type: 'object',
              properties: { a: { $ref: `#/$defs/${i + 1}` }, [key]: { type: 'null' } },
              required: ['a', key],
            })),
          },
    ]),
  );
}

it('a text that must be a call is a valid one, with references inside the schema of its arguments', async () => {
  const point = { $ref: '#/$defs/point' };
  const parameters = {
    ...{ $defs: { point: POINT }, type: 'object', properties: { point } },
    ...{ required: ['point'], additionalProperties: false },
  };
  const tools = [{ function: { name: 'go', parameters } }, { function: { name: 'stop' } }];
  const format: ResponseFormat = { type: 'json_schema', schema: describeCall(tools) };
  const calls = (await write(format, { max_new_tokens: 120, do_sample: true }, 8)).flatMap(
    (text) => readToolCalls(text).calls,
  );
  expect(calls).toHaveLength(8);
  const isValid = new Ajv2020().compile(parameters);
  for (const { name, arguments: values } of calls)
    expect(name === 'go' ? isValid(values) : values).toEqual(name === 'go' ? true : {});
  expect(new Set(calls.map(({ name }) => name))).toEqual(new Set(['go', 'stop']));
  expect(() => describeCall(tools, 'fly')).toThrow('requires a call of fly, which is not in tools');
});
