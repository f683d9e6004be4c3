import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stopOnSignal } from '../../src/faces/cli/stop-on-signal.ts';
import { BASE_DTYPES, type BaseDtype } from '../../src/program/bases/base-dtype.ts';
import { loadTokenizer } from '../../tests/support/load-tokenizer.ts';
import { chunkLengths, readChunks } from './corpus/chunk-store.ts';
import { exportModel } from './export-model.ts';
import { FILES, preparedIn } from './files.ts';
import { prepare } from './prepare.ts';
import { CONFIG } from './shape.ts';
import { openTeacher } from './teacher/teacher-model.ts';
import { TeacherVectors } from './teacher/teacher-vectors.ts';
import { Batches, type Teaching } from './training/batches.ts';
import { heldOutTerms } from './training/held-out-terms.ts';
import { adoptEmbeddings, adoptModel, randomValues } from './training/initial-values.ts';
import { OBJECTIVES, type ObjectiveName } from './training/objective.ts';
import { type RunState, readState, writeState } from './training/state-file.ts';
import { Student } from './training/student.ts';
import { targetScales } from './training/target-scale.ts';
import { trainFor } from './training/train-for.ts';

/*
 * Pretrains the encoder: prepares the corpus, trains, evaluates, and writes a model folder. Run it again to
 * continue.
 */

const { values: flags } = parseArgs({
  options: {
    run: { type: 'string', default: 'runs/pretrain/mini' },
    out: { type: 'string', default: 'models/mini' },
    /** A model made by this program. Training starts from its vocabulary and weights. */
    from: { type: 'string' },
    /** The files of fetch-packages.sh, which are read in addition to the corpus. */
    packages: { type: 'string' },
    /** Folder for the vocabulary, the tokens and the teacher's vectors, which are made once for each corpus. */
    prepared: { type: 'string', default: 'runs/pretrain/prepared' },
    objective: { type: 'string', default: 'distil' },
    /** Type of the teacher's weights. With int8, the teacher is nearly three times as fast. */
    'teacher-dtype': { type: 'string', default: 'int8' },
    embeddings: { type: 'string', default: 'teacher' },
    minutes: { type: 'string', default: '90' },
    chunks: { type: 'string', default: '60000' },
    'batch-tokens': { type: 'string', default: '2048' },
    'learning-rate': { type: 'string', default: '1e-3' },
    seed: { type: 'string', default: '0' },
    /** Writes the model of the last checkpoint without further training. */
    'export-only': { type: 'boolean', default: false },
  },
});
/** Number of held-out chunks that are evaluated at the end. */
const HELD_OUT_CHUNKS = 600;

const objective = OBJECTIVES.find((name) => name === flags.objective) as ObjectiveName;
if (!objective) throw new Error(`--objective: one of ${OBJECTIVES.join(', ')}`);
const teacherDtype = BASE_DTYPES.find((dtype) => dtype === flags['teacher-dtype']) as BaseDtype;
if (!teacherDtype) throw new Error(`--teacher-dtype: one of ${BASE_DTYPES.join(', ')}`);
const { signal } = stopOnSignal(() => log('finishing this step'));

const prepared = preparedIn(flags.prepared);
prepare(prepared, { packages: flags.packages, from: flags.from, log });
mkdirSync(flags.run, { recursive: true });
const tokenizer = await loadTokenizer(prepared.folder, { typeVocabSize: CONFIG.type_vocab_size });
const train = readChunks(prepared.train);
const heldOut = readChunks(prepared.heldOut);
const teacher = objective === 'mlm' ? undefined : await openTeacher(FILES.teacher, teacherDtype);
const teachings: TeacherVectors[] = [];
const width = teacher?.width ?? 0;
const trainTeaching = await teaching('train');
const heldOutTeaching = trainTeaching && (await teaching('held-out', trainTeaching));

const student = new Student(objective, width);
const statePath = join(flags.run, 'state.safetensors');
const state = readState(statePath) ?? newState();
if (state.values.length !== student.layout.length)
  throw new Error(`${statePath} is of a run with another objective: name another folder with --run`);
const settings = {
  minutes: Number(flags.minutes),
  chunks: chosenChunks(),
  batchTokens: Number(flags['batch-tokens']),
  learningRate: Number(flags['learning-rate']),
  seed: Number(flags.seed),
};
log(`${student.layout.length} parameters in training, ${settings.chunks.length} chunks`);
if (!flags['export-only']) {
  await trainFor(settings, student, new Batches(train, tokenizer, objective, trainTeaching), train, state, {
    log,
    shouldStop: () => signal.aborted,
    save(saved) {
      for (const vectors of teachings) vectors.save();
      writeState(statePath, saved);
    },
  });
}
if (!signal.aborted) {
  exportModel(flags.out, prepared.folder, student.layout, state.values);
  log(`written to ${flags.out}`);
  const batches = new Batches(heldOut, tokenizer, objective, heldOutTeaching);
  const lengths = chunkLengths(heldOut, heldOut.student).subarray(0, HELD_OUT_CHUNKS);
  const terms = await heldOutTerms(student, state.values, batches, lengths);
  for (const vectors of teachings) vectors.save();
  log(`after ${state.step} steps, ${state.tokens} tokens: held out ${JSON.stringify(terms)}`);
}
await student.release();

/** The teacher's vectors of a part of the corpus. They are scaled like the training part. */
async function teaching(part: 'train' | 'held-out', scaledLike?: Teaching): Promise<Teaching | undefined> {
  if (!teacher) return undefined;
  const store = part === 'train' ? train : heldOut;
  const texts = await loadTokenizer(FILES.teacher, { typeVocabSize: CONFIG.type_vocab_size });
  const vectors = new TeacherVectors(teacher, texts, store, join(prepared.folder, `${part}.f16`));
  teachings.push(vectors);
  const scales =
    scaledLike?.scales ?? (await targetScales(vectors, width, join(prepared.folder, 'scales.safetensors')));
  log(`the teacher has read ${vectors.ready} of ${store.starts.length - 1} chunks (${part})`);
  return { vectors, scales, width };
}

/**
 * All chunks, or the requested number. It prefers chunks that the teacher has already read, because they cost
 * nothing.
 */
function chosenChunks(): Int32Array {
  const count = train.starts.length - 1;
  const wanted = flags.chunks === 'all' ? count : Math.min(count, Number(flags.chunks));
  return trainTeaching?.vectors.cheapest(wanted) ?? Int32Array.from({ length: wanted }, (_, i) => i);
}

function newState(): RunState {
  const { layout } = student;
  const values = randomValues(layout, Number(flags.seed));
  if (flags.from !== undefined) adoptModel(values, layout, flags.from);
  else if (flags.embeddings === 'teacher') adoptEmbeddings(values, layout, prepared.folder);
  const zeros = () => new Float32Array(layout.length);
  return { seconds: 0, step: 0, tokens: 0, epoch: 0, batch: 0, values, m: zeros(), v: zeros() };
}

function log(line: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)}  ${line}`);
}
