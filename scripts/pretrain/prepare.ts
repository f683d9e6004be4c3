import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';
import { Random } from '../../src/support/random.ts';
import { loadTokenizer } from '../../tests/support/load-tokenizer.ts';
import { writeChunks } from './corpus/chunk-store.ts';
import { type Chunk, chunks } from './corpus/chunks.ts';
import { type Document, documents } from './corpus/documents.ts';
import { FILES, type Prepared } from './files.ts';
import { CONFIG, MAX_LENGTH } from './shape.ts';
import { countWords } from './vocabulary/count-words.ts';
import { SPECIAL_TOKENS, TOKENIZER_FILES, tokenizerFiles } from './vocabulary/tokenizer-files.ts';
import { trainWordPiece } from './vocabulary/train-word-piece.ts';

/** Share of the documents that is held out. */
const HELD_OUT = 0.01;
const SEED = 0;

export interface Preparation {
  /** Folder of downloaded packages, which are read in addition to the corpus. */
  packages: string | undefined;
  /** A model folder whose vocabulary is used. Without one, a vocabulary is trained. */
  from: string | undefined;
  log(line: string): void;
}

/** Cleans and splits the corpus, trains the vocabulary on its training part, and stores both parts as tokens. */
export async function prepare(prepared: Prepared, { packages, from, log }: Preparation): Promise<void> {
  if (existsSync(prepared.heldOut)) return;
  const all = [...documents(FILES.corpus, packages)];
  const parts = { train: all.filter((d) => !isHeldOut(d)), heldOut: all.filter(isHeldOut) };
  const characters = (part: Document[]) =>
    part.reduce((sum, { paragraphs }) => sum + paragraphs.join(' ').length, 0);
  log(`${all.length} documents, ${characters(all)} characters; held out ${parts.heldOut.length}`);

  if (from === undefined) writeVocabulary(prepared.folder, parts.train, log);
  else {
    mkdirSync(prepared.folder, { recursive: true });
    for (const name of TOKENIZER_FILES) copyFileSync(join(from, name), join(prepared.folder, name));
  }
  const tokenizer = await loadTokenizer(prepared.folder, { typeVocabSize: CONFIG.type_vocab_size });
  const teacher = await loadTokenizer(FILES.teacher, { typeVocabSize: CONFIG.type_vocab_size });
  for (const part of ['train', 'heldOut'] as const) {
    const cut = [...chunks(parts[part], tokenizer, teacher, MAX_LENGTH - 2, SEED)];
    writeChunks(prepared[part], cut, SEED);
    const total = (of: (chunk: Chunk) => number[]) => cut.reduce((sum, chunk) => sum + of(chunk).length, 0);
    const words = total(({ student }) => student.lengths);
    const tokens = total(({ student }) => student.tokens);
    log(`${part}: ${cut.length} chunks, ${words} words, ${tokens} tokens`);
  }
}

function writeVocabulary(folder: string, documents: readonly Document[], log: (line: string) => void): void {
  const counts = countWords(documents.flatMap(({ paragraphs }) => paragraphs));
  const words = [...counts.values()].reduce((sum, count) => sum + count, 0);
  log(`${words} words, ${counts.size} different`);
  const vocabulary = trainWordPiece(counts, {
    size: CONFIG.vocab_size,
    special: SPECIAL_TOKENS,
    leastCharacterCount: 20,
    leastPairCount: 2,
  });
  const longWords = vocabulary.filter((piece) => counts.has(piece)).length;
  log(`${vocabulary.length} pieces, ${longWords} of them words`);
  for (const [name, json] of Object.entries(tokenizerFiles(vocabulary, CONFIG.max_position_embeddings)))
    atomicWrite(join(folder, name), `${JSON.stringify(json, null, 2)}\n`);
}

function isHeldOut({ id }: Document): boolean {
  return new Random(SEED, `split ${id}`).uniform() < HELD_OUT;
}
