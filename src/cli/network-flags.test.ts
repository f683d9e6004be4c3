import { expect, it } from 'vitest';
import { bandwidth, latency } from './network-flags.ts';

it.each([
  ['10Gb/s', 1.25e9],
  ['100Gbit/s', 12.5e9],
  ['1.5 GB/s', 1.5e9],
  ['400Mbps', 50e6],
])('reads the speed %s', (text, bytes) => expect(bandwidth(text)).toBe(bytes));

it.each([
  ['20us', 20e-6],
  ['1.5 ms', 1.5e-3],
  ['0s', 0],
])('reads the time %s', (text, seconds) => expect(latency(text)).toBeCloseTo(seconds, 12));

it.each(['', '10', '10GHz', '-1Gb/s', '0Gb/s'])('rejects the speed "%s"', (text) =>
  expect(() => bandwidth(text)).toThrow('Use a speed such as 10Gb/s or 1.2GB/s.'),
);

it.each(['', '20', '20 m'])('rejects the time "%s"', (text) =>
  expect(() => latency(text)).toThrow('Use a time such as 20us.'),
);
