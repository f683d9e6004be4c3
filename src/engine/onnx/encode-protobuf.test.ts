import protobuf from 'protobufjs';
import { expect, it } from 'vitest';
import { encodeProtobuf, type ProtobufSchema } from './schema.ts';

const SCHEMA = {
  Outer: {
    count: { type: 'int64', id: 1 },
    share: { type: 'float', id: 2 },
    name: { type: 'string', id: 3 },
    raw: { type: 'bytes', id: 4 },
    sizes: { type: 'int64', id: 8, repeated: true },
    names: { type: 'string', id: 9, repeated: true },
    inner: { type: 'Inner', id: 10 },
    inners: { type: 'Inner', id: 11, repeated: true },
    kind: { type: 'int32', id: 200 },
  },
  Inner: { name: { type: 'string', id: 1 } },
};

it("gives the same bytes as the library's own encoder", () => {
  const nested = Object.entries(SCHEMA).map(([name, fields]) => {
    const described = Object.entries(fields as ProtobufSchema[string]).map(
      ([key, { repeated, ...field }]) => [key, repeated ? { ...field, rule: 'repeated' } : field],
    );
    return [name, { fields: Object.fromEntries(described) }];
  });
  const root = protobuf.Root.fromJSON({ nested: Object.fromEntries(nested) });
  const type = root.lookupType('Outer');
  for (const value of [
    {},
    {
      count: 0,
      share: 0,
      name: '',
      raw: new Uint8Array(),
      sizes: [],
      names: [],
      inner: {},
      inners: [{}],
      kind: 0,
    },
    { count: -3, share: 0.1, name: 'é\u{1f600}', raw: Uint8Array.of(0, 255), kind: -1 },
    {
      sizes: [3e9, -1, 2 ** 52],
      names: ['', 'b'],
      inners: [{ name: 'x'.repeat(300) }, {}],
      kind: 2 ** 31 - 1,
    },
    { inner: { name: 'a' }, count: undefined },
  ]) {
    const expected = type.encode(type.create(value)).finish();
    expect([...encodeProtobuf(SCHEMA, 'Outer', value)]).toEqual([...expected]);
  }
});

it('rejects other fields', () => {
  expect(() => encodeProtobuf(SCHEMA, 'Outer', { inner: { title: 'a' } })).toThrow(
    'Inner has no field title',
  );
});
