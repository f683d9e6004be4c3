import { expect, it } from 'vitest';
import { writeSubtitles } from '../../support/subtitles.ts';
import { cutWindow, keepTimes } from './windows.ts';

const FIRST = 10;
const time = (place: number) => FIRST + place;

it('cuts a window at pairs of times, and starts the next one with a segment that has not ended', () => {
  const open = [time(0), 1, 2, time(50), time(50), 3, time(90), time(100), 4];
  expect(cutWindow(open, FIRST, 3000)).toEqual({
    next: 180,
    segments: [
      { start: 0, end: 1, ids: [time(0), 1, 2, time(50)] },
      { start: 1, end: 1.8, ids: [time(50), 3, time(90)] },
    ],
  });
  const whole = [time(0), 1, time(50), time(60), 2, time(90)];
  const { next, segments } = cutWindow(whole, FIRST, 3000);
  expect([next, segments.map(({ end }) => end)]).toEqual([3000, [1, 1.8]]);
  expect(cutWindow([time(0), 1, 2], FIRST, 700)).toMatchObject({
    next: 700,
    segments: [{ start: 0, end: 7 }],
  });
  // A window never starts where it started.
  expect(cutWindow([time(0), time(0), 1], FIRST, 700).next).toBe(700);
});

it('allows times in pairs that do not fall', () => {
  const allowed = (tokens: number[], scores = new Float32Array(16)) => {
    keepTimes({ first: FIRST, end: 7, mostInitial: 2 })({ begun: 1, least: 0, most: 99 })(
      scores,
      [0, ...tokens],
      0,
    );
    return [...scores.keys()].filter((id) => scores[id]! > Number.NEGATIVE_INFINITY);
  };
  const likelyWord = () => new Float32Array(16).fill(9, 0, 7);
  expect(allowed([])).toEqual([10, 11, 12]);
  expect(allowed([12])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(allowed([12, 3], likelyWord())).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15]);
  // All times together are more likely than any word.
  expect(allowed([12, 3])).toEqual([13, 14, 15]);
  expect(allowed([12, 3, 14], likelyWord())).toEqual([14, 15]);
  expect(allowed([12, 3, 14, 14])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

it('writes subtitles', () => {
  const segments = [{ start: 0, end: 3661.5, text: 'a' }];
  expect(writeSubtitles(segments, 'srt')).toBe('1\n00:00:00,000 --> 01:01:01,500\na\n');
  expect(writeSubtitles(segments, 'vtt')).toBe('WEBVTT\n\n00:00:00.000 --> 01:01:01.500\na\n');
});
