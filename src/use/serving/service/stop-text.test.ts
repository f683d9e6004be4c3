import { expect, it } from 'vitest';
import { StopText } from './local-service.ts';

function given(stops: string[], pieces: string[]): { text: string[]; isEnded: boolean } {
  const stop = new StopText(stops);
  const text = [...pieces.map((piece) => stop.add(piece)), stop.end()];
  return { text, isEnded: stop.isEnded };
}

it.each<[string, string[], string[], string[], boolean]>([
  ['nothing to stop at', [], ['ab', 'c'], ['ab', 'c', ''], false],
  ['a stop in a piece', ['b'], ['abc', 'd'], ['a', '', ''], true],
  ['a stop over pieces', ['END'], ['go E', 'N', 'D on'], ['go ', '', '', ''], true],
  ['what only begins as a stop', ['END'], ['go E', 'N', 'd'], ['go ', '', 'ENd', ''], false],
  ['what begins as a stop at the end', ['END'], ['go E'], ['go ', 'E'], false],
  ['the first of several', ['xyz', 'b'], ['axb', 'yz'], ['ax', '', ''], true],
])('%s', (_, stops, pieces, text, isEnded) => {
  expect(given(stops, pieces)).toEqual({ text, isEnded });
});
