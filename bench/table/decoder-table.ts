import type { DecoderCase } from '../decoder/decoder-cases.ts';
import { DECODER_REFERENCE, type DecoderResult, roundMs } from '../decoder/decoder-rows.ts';
import { aligned, share, times } from './cells.ts';

const HEADS = [
  '',
  'step',
  'over PEFT f32',
  'memory',
  'of PEFT f32',
  'prompt, tokens/s',
  'one text, tokens/s',
  'over PEFT f32',
  'several, tokens/s',
  'memory',
];

/** Formats a table of a decoder's training steps and generation, one line per side. */
export function decoderTable(
  result: DecoderResult,
  { prompt, tokens, texts: several, trains }: DecoderCase,
): string {
  const peft = result.runs.find(({ side }) => side === DECODER_REFERENCE);
  const rows = result.runs.map(({ side, train, write }) => {
    // The first token of a text comes from reading its prompt.
    const rate = (what: string, texts: number) =>
      (1000 * texts * (what === 'prefill' ? prompt : tokens - 1)) / roundMs(write.rounds, what);
    const over = (kind: 'train' | 'write', what: string) => {
      const [reference, own] = [peft?.[kind], kind === 'train' ? train : write];
      return times(reference && own && roundMs(reference.rounds, what) / roundMs(own.rounds, what));
    };
    return [
      side,
      train ? `${roundMs(train.rounds, 'step').toFixed(0)} ms` : '',
      over('train', 'step'),
      train ? `${train.memory.peak_mb.toFixed(0)} MB` : '',
      share(train && peft?.train && train.memory.peak_mb / peft.train.memory.peak_mb),
      rate('prefill', 1).toFixed(0),
      rate('one', 1).toFixed(1),
      over('write', 'one'),
      rate('many', several).toFixed(1),
      `${write.memory.peak_mb.toFixed(0)} MB`,
    ];
  });
  const limits = `${result.matmulGflops.toFixed(0)} GFLOP/s in a product, ${result.readGbps.toFixed(0)} GB/s read by one core`;
  const work = `${trains ? "AdaLoRA's step, and " : ''}greedy search for one text and for ${several}`;
  return `${result.name}: ${work} (this machine: ${limits})\n${aligned(HEADS, rows)}\n`;
}
