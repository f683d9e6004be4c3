import { expect, it } from 'vitest';
import { editJson } from './bounded-json.ts';

it('changes an object and keeps the spelling of its numbers', () => {
  const text = '{"a": 0.0, "b": [1e-05, -30.0, 1, 12], "c": "1.0", "d\\" 2.0": {"e": 1E3}, "gone": 0.5}';
  const edited = editJson(text, ({ gone, ...rest }) => ({ ...rest, c: 'new 1.0', f: 3 }));
  expect(edited.replace(/\s/g, '')).toBe(
    '{"a":0.0,"b":[1e-05,-30.0,1,12],"c":"new1.0","d\\"2.0":{"e":1E3},"f":3}',
  );
});
