import { afterEach, expect, it, vi } from 'vitest';
import type { RemoteDesk } from '../worker/desk-methods.ts';
import { keptStep } from './kept-step.ts';

afterEach(() => vi.unstubAllGlobals());

it('offers nothing if the answer arrives after a training has started', async () => {
  class Part {
    hidden = true;
    textContent = '';
    addEventListener() {}
  }
  const parts = new Map<string, Part>();
  const getElementById = (id: string) => {
    const part = parts.get(id) ?? new Part();
    parts.set(id, part);
    return part;
  };
  vi.stubGlobal('document', { getElementById });
  for (const name of ['HTMLElement', 'HTMLButtonElement', 'HTMLInputElement']) vi.stubGlobal(name, Part);
  const answers: ((kept: { fileName: string; step: number }) => void)[] = [];
  const kept = () => new Promise((resolve) => answers.push(resolve));
  const offer = keptStep({ kept } as unknown as RemoteDesk, () => {});

  const late = offer(true);
  await offer(false);
  answers[0]!({ fileName: 'rows.tsv', step: 3 });
  await late;
  expect(parts.get('kept')!.hidden).toBe(true);

  const asked = offer(true);
  answers[1]!({ fileName: 'rows.tsv', step: 3 });
  await asked;
  expect(parts.get('kept')!.hidden).toBe(false);
});
