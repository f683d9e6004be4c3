import protobuf from 'protobufjs';
import { lazy } from '../../support/lazy.ts';
import { UserError } from '../../support/user-error.ts';
import type { SlowTokenizer } from './slow-tokenizer.ts';

/** File names of sentencepiece models. */
export const SENTENCEPIECE_FILES = [
  'spm.model',
  'spiece.model',
  'sentencepiece.bpe.model',
  'tokenizer.model',
];

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

/**
 * The message types, with names and numbers from sentencepiece_model.proto. The library generates code from them. A
 * page's content security policy may forbid that, and then the page cannot read sentencepiece models.
 */
const types = lazy(() => {
  const root = protobuf.Root.fromJSON({
    nested: {
      SentencePiece: {
        fields: {
          piece: { type: 'string', id: 1 },
          score: { type: 'float', id: 2 },
          type: { type: 'int32', id: 3, options: { default: 1 } },
        },
      },
      TrainerSpec: {
        fields: {
          model_type: { type: 'int32', id: 3, options: { default: 1 } },
          unk_id: { type: 'int32', id: 40 },
          unk_piece: { type: 'string', id: 45, options: { default: '<unk>' } },
        },
      },
      NormalizerSpec: { fields: { precompiled_charsmap: { type: 'bytes', id: 2 } } },
    },
  });
  return ['SentencePiece', 'TrainerSpec', 'NormalizerSpec'].map((name) => root.lookupType(name));
});

/**
 * Reads the sentencepiece model of a tokenizer, under any of its file names.
 *
 * @throws UserError if there is none or it is invalid
 */
export function readSentencepiece(slow: SlowTokenizer): SentencepieceModel {
  const name = SENTENCEPIECE_FILES.find((name) => slow.file(name) !== undefined);
  if (name === undefined) {
    throw new UserError({ where: slow.where(''), fault: `has none of ${SENTENCEPIECE_FILES.join(', ')}` });
  }
  const fail = (got: string): never => {
    throw new UserError({ where: slow.where(name), fault: `is not a valid sentencepiece model: ${got}` });
  };
  try {
    return checked(parse(slow.file(name)!), fail);
  } catch (error) {
    if (error instanceof UserError) throw error;
    return fail((error as Error).message);
  }
}

function parse(bytes: Uint8Array) {
  const [SentencePiece, TrainerSpec, NormalizerSpec] = types();
  const pieces: SentencePiece[] = [];
  let trainer: protobuf.Message = TrainerSpec.create();
  let normalizer: protobuf.Message = NormalizerSpec.create();
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === ((1 << 3) | 2)) {
      if (pieces.length === MAX_PIECES) throw new Error(`it has more than ${MAX_PIECES} pieces`);
      pieces.push(SentencePiece.decode(reader, reader.uint32()) as unknown as SentencePiece);
    } else if (tag === ((2 << 3) | 2)) trainer = TrainerSpec.decode(reader, reader.uint32());
    else if (tag === ((3 << 3) | 2)) normalizer = NormalizerSpec.decode(reader, reader.uint32());
    else reader.skipType(tag & 7);
  }
  const { model_type, unk_id, unk_piece } = trainer as unknown as Record<string, number> & {
    unk_piece: string;
  };
  const { precompiled_charsmap: charsmap } = normalizer as unknown as {
    precompiled_charsmap: ArrayLike<number>;
  };
  return {
    pieces,
    model: MODELS[model_type],
    modelType: model_type,
    unkId: unk_id,
    unkPiece: unk_piece,
    charsmap,
  };
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
