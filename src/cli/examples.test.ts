import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRows } from '../data/node/read-rows.ts';
import { loadConfig } from './load-config.ts';

const EXAMPLES = readdirSync('examples').filter((name) => name.endsWith('.yaml'));
const shared = existsSync('../shared/data/glue');

describe.each(EXAMPLES)('%s', (name) => {
  const path = `examples/${name}`;

  it('has a comment for every key', () => {
    const lines = readFileSync(path, 'utf8').split('\n');
    const sections = lines.filter((line, i) => /^\w+:/.test(line) && !lines[i - 1].startsWith('#'));
    expect(sections).toEqual(['data:']);
  });

  it('trains with both methods', () => {
    expect(loadConfig(path, ['method=lora'])).toMatchObject({
      training: { learning_rate: 5e-4 },
      lora: { r: 8, lora_alpha: 16 },
    });
    const settings = { target_r: 8, init_r: 12, lora_alpha: 16, tinit: '10%', tfinal: '40%', deltaT: 10 };
    expect(loadConfig(path)).toMatchObject({ training: { learning_rate: 2e-3 }, adalora: settings });
  });

  it.skipIf(!shared)('reads the files of GLUE (skipped without ../shared)', () => {
    const { data, task } = loadConfig(path);
    const rows = readRows(`../shared/${data.validation}`, { ...data, task });
    expect(rows.length).toBe({ cola: 1043, mrpc: 408, stsb: 1500, rte: 277 }[basename(name, '.yaml')]);
    expect(rows.every(({ textPair }) => (textPair === undefined) === (name === 'cola.yaml'))).toBe(true);
  });
});
