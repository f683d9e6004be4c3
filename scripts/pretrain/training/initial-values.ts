import { disk } from '../../../src/input/formats/node/folder-files.ts';
import { openCheckpoint } from '../../../src/input/formats/open-checkpoint.ts';
import type { ParameterLayout } from '../../../src/methods/tuners/parameter-layout.ts';
import { initialize } from '../../../src/models/bind-checkpoint.ts';
import { Random } from '../../../src/support/random.ts';
import { FILES } from '../files.ts';
import { CONFIG } from '../shape.ts';
import { piecesOf, readVocabulary } from '../vocabulary/read-vocabulary.ts';
import { dot, principalSubspace } from './principal-subspace.ts';

/** New weights, initialized as in transformers. */
export function randomValues(layout: ParameterLayout, seed: number): Float32Array {
  const values = new Float32Array(layout.length);
  for (const { name, shape } of layout.segments)
    layout.read(values, name).set(initialize(name, shape, seed, CONFIG.initializer_range));
  return values;
}

/**
 * Replaces the embeddings by the teacher's, projected onto the principal subspace of the word embeddings. A
 * piece that the teacher lacks gets the mean over the teacher's pieces for it.
 *
 * @param tokenizer the folder of the encoder's tokenizer
 */
export function adoptEmbeddings(values: Float32Array, layout: ParameterLayout, tokenizer: string): void {
  const checkpoint = openCheckpoint(disk, FILES.teacher);
  const table = (name: string) => checkpoint.readFloat32(`embeddings.${name}_embeddings.weight`);
  const vocabulary = readVocabulary(FILES.teacher);
  const words = table('word');
  const width = words.length / vocabulary.size;
  const rowsOf = (matrix: Float32Array) =>
    Array.from({ length: matrix.length / width }, (_, row) =>
      matrix.subarray(row * width, (row + 1) * width),
    );
  const known = rowsOf(words);
  const pieces = [...readVocabulary(tokenizer).keys()].map((piece) =>
    mean(
      piecesOf(piece, vocabulary).map((id) => known[id]!),
      width,
    ),
  );
  const basis = principalSubspace(pieces, CONFIG.hidden_size, new Random(0, 'subspace'));
  const adopt = (name: string, vectors: readonly Float32Array[]) => {
    const own = layout.read(values, `bert.embeddings.${name}_embeddings.weight`);
    vectors.forEach((vector, row) => {
      own.set(
        basis.map((direction) => dot(vector, direction)),
        row * basis.length,
      );
    });
  };
  adopt('word', pieces);
  adopt('position', rowsOf(table('position')));
  adopt('token_type', rowsOf(table('token_type')));
  checkpoint.close();
}

/**
 * Copies the weights of a model made by this program. Such a model does not contain the projections to the
 * teacher's width.
 */
export function adoptModel(values: Float32Array, layout: ParameterLayout, folder: string): void {
  const checkpoint = openCheckpoint(disk, folder);
  const known = new Set(checkpoint.names());
  for (const { name } of layout.segments)
    if (known.has(name)) layout.read(values, name).set(checkpoint.readFloat32(name));
  checkpoint.close();
}

function mean(vectors: readonly Float32Array[], width: number): Float32Array {
  const sum = new Float32Array(width);
  for (const vector of vectors) for (let i = 0; i < width; i++) sum[i]! += vector[i]! / vectors.length;
  return sum;
}
