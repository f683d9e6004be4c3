import protobuf from 'protobufjs/minimal.js';
import { InvalidFile, UserError } from '../../../support/user-error.ts';
import type { SlowTokenizer } from './slow-tokenizer.ts';

/** The sentencepiece model of DeBERTa v2 and v3. */
export const SENTENCEPIECE_FILE = 'spm.model';

/** Maximum number of pieces, four times the largest known vocabulary. */
const MAX_PIECES = 2 ** 20;
/**
 * Maximum length of a piece, sixteen times the default of sentencepiece. It is limited because all splits of a piece
 * are tried.
 */
const MAX_PIECE_LENGTH = 256;

/** Types of pieces that are not normal text. */
export const PIECE_TYPE = { control: 3, userDefined: 4 } as const;

export interface SentencePiece {
  piece: string;
  score: number;
  type: number;
}

/** The parts of a sentencepiece model that are used. */
export interface SentencepieceModel {
  pieces: SentencePiece[];
  model: 'unigram' | 'bpe';
  unkId: number;
  unkPiece: string;
  /** Empty if text is not normalized. */
  charsmap: Uint8Array;
}

const MODELS: Readonly<Record<number, SentencepieceModel['model']>> = { 1: 'unigram', 2: 'bpe' };

/** A message's fields by their numbers in sentencepiece_model.proto: a key of the result, and the reader's method. */
type Fields<T> = Readonly<Record<number, readonly [keyof T, 'string' | 'float' | 'int32' | 'bytes']>>;

interface Trainer {
  modelType: number;
  unkId: number;
  unkPiece: string;
}

const PIECE: Fields<SentencePiece> = { 1: ['piece', 'string'], 2: ['score', 'float'], 3: ['type', 'int32'] };
const TRAINER: Fields<Trainer> = {
  3: ['modelType', 'int32'],
  40: ['unkId', 'int32'],
  45: ['unkPiece', 'string'],
};
const NORMALIZER: Fields<{ charsmap: Uint8Array }> = { 2: ['charsmap', 'bytes'] };

/**
 * Reads the sentencepiece model of a tokenizer.
 *
 * @throws UserError if there is none or it is invalid
 */
export function readSentencepiece(slow: SlowTokenizer): SentencepieceModel {
  const bytes = slow.file(SENTENCEPIECE_FILE);
  const where = slow.where(SENTENCEPIECE_FILE);
  if (!bytes) throw new UserError({ where, fault: 'does not exist', code: 'not_found' });
  const fail = (got: string): never => {
    throw new InvalidFile({ where, fault: `is not a valid sentencepiece model: ${got}` });
  };
  try {
    return checked(parse(bytes), fail);
  } catch (error) {
    if (error instanceof UserError) throw error;
    return fail((error as Error).message);
  }
}

function parse(bytes: Uint8Array) {
  const pieces: SentencePiece[] = [];
  const trainer: Trainer = { modelType: 1, unkId: 0, unkPiece: '<unk>' };
  const normalizer = { charsmap: new Uint8Array() };
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === ((1 << 3) | 2)) {
      if (pieces.length === MAX_PIECES) throw new Error(`it has more than ${MAX_PIECES} pieces`);
      pieces.push(message(reader, PIECE, { piece: '', score: 0, type: 1 }));
    } else if (tag === ((2 << 3) | 2)) message(reader, TRAINER, trainer);
    else if (tag === ((3 << 3) | 2)) message(reader, NORMALIZER, normalizer);
    else reader.skipType(tag & 7);
  }
  return { pieces, model: MODELS[trainer.modelType], ...trainer, ...normalizer };
}

/**
 * Reads a message into an object with its defaults. Only the library's reader is used, because its message types
 * generate code at run time, and the content security policy of a page forbids that.
 */
function message<T extends object>(reader: protobuf.Reader, fields: Fields<T>, into: T): T {
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new RangeError('a message is longer than the file');
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = fields[tag >>> 3];
    if (field) into[field[0]] = reader[field[1]]() as T[keyof T];
    else reader.skipType(tag & 7);
  }
  if (reader.pos !== end) throw new RangeError('a field is longer than its message');
  return into;
}

function checked(read: ReturnType<typeof parse>, fail: (got: string) => never): SentencepieceModel {
  const { pieces, model, modelType, unkId, unkPiece, charsmap } = read;
  if (pieces.length === 0) fail('it has no pieces');
  if (!model) fail(`its type is ${modelType}, neither Unigram nor BPE`);
  for (const [id, { piece, score }] of pieces.entries()) {
    if (piece.length > MAX_PIECE_LENGTH) fail(`piece ${id} has more than ${MAX_PIECE_LENGTH} characters`);
    if (!Number.isFinite(score)) fail(`piece ${id} has the score ${score}`);
  }
  if (unkId < 0 || unkId >= pieces.length)
    fail(`the unknown token has the id ${unkId}, but there are ${pieces.length} pieces`);
  return { pieces, model, unkId, unkPiece, charsmap: Uint8Array.from(charsmap) };
}
