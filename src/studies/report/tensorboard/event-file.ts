import protobuf from 'protobufjs';
import type { FolderFiles } from '../../../input/formats/files.ts';
import { readEvent, type TrainEvent } from '../../../training/run/events.ts';

/**
 * The CRC-32C as TFRecord files store it: rotated by 15 bits and offset, because the CRC of data that contains its own
 * CRC would be degenerate.
 */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** The part of TensorFlow's event.proto and summary.proto that scalars need. Names and numbers are the format's. */
const root = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wall_time: { type: 'double', id: 1 },
        step: { type: 'int64', id: 2 },
        file_version: { type: 'string', id: 3 },
        summary: { type: 'Summary', id: 5 },
        session_log: { type: 'SessionLog', id: 7 },
      },
    },
    Summary: { fields: { value: { rule: 'repeated', type: 'Value', id: 1 } } },
    Value: { fields: { tag: { type: 'string', id: 1 }, simple_value: { type: 'float', id: 2 } } },
    SessionLog: { fields: { status: { type: 'int32', id: 1 } } },
  },
});
const Event = root.lookupType('Event');

/** Marks the start or resume of a run. Readers then drop earlier records of the same or a later step. */
const SESSION_START = 1;

/**
 * Writes a run's events for TensorBoard as they arrive. Each process that starts or resumes the run writes its own
 * file. TensorBoard then drops records of earlier files for later steps.
 *
 * @param folder gets the file at the first event, `start`; without that event, nothing is written
 * @param writer the number of this process
 * @param now returns milliseconds since 1970
 */
export function eventFile(folder: FolderFiles, writer: number, now = Date.now): (event: unknown) => void {
  let name: string | undefined;
  const write = (fields: object) => {
    if (name === undefined) return;
    const message = Event.create({ wall_time: now() / 1000, ...fields });
    const record = tfRecord(Event.encode(message).finish());
    if (folder.has(name)) folder.append(name, record);
    else folder.write(name, record);
  };
  return (value) => {
    const event = readEvent(value);
    if (!event) return;
    if (event.type === 'start') {
      // TensorBoard reads files in the order of their names.
      name = `events.out.tfevents.${Math.floor(now() / 1000)}.${writer}.adalora`;
      write({ file_version: 'brain.Event:2' });
      write({ step: event.step + 1, session_log: { status: SESSION_START } });
    }
    const scalars = listScalars(event);
    if (scalars.length === 0) return;
    const values = scalars.map(({ tag, value }) => ({ tag, simple_value: value }));
    write({ step: event.step, summary: { value: values } });
  };
}

/** One record of a TFRecord file: length (64 bits), its checksum, the data, its checksum. Numbers are little-endian. */
function tfRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}

export interface Scalar {
  tag: string;
  value: number;
}

/**
 * The scalars of an event in TensorBoard. Tags are those of Hugging Face's trainer (`train/loss`, `eval/accuracy`).
 * Values that it lacks have `adalora/…`, and by module `ranks/…` and `orthogonality/…`.
 */
export function listScalars(event: TrainEvent): Scalar[] {
  return Object.entries(namedValues(event))
    .filter(([, value]) => Number.isFinite(value))
    .map(([tag, value]) => ({ tag, value }));
}

function namedValues(event: TrainEvent): Record<string, number> {
  switch (event.type) {
    case 'step':
      return {
        'train/loss': event.loss,
        'train/grad_norm': event.grad_norm,
        'train/learning_rate': event.learning_rate,
        'train/samples_per_second': event.examples_per_second,
        'adalora/budget': event.budget ?? Number.NaN,
        'adalora/orthogonality': event.regularizer ?? Number.NaN,
      };
    case 'evaluation':
      return Object.fromEntries(
        Object.entries(event).flatMap(([name, value]) =>
          name.startsWith('eval_') ? [[name.replace('eval_', 'eval/'), Number(value)]] : [],
        ),
      );
    case 'allocation':
      return {
        'adalora/threshold': event.threshold,
        ...Object.fromEntries(Object.entries(event.ranks).map(([module, rank]) => [`ranks/${module}`, rank])),
      };
    case 'orthogonality':
      return Object.fromEntries(
        Object.entries(event.modules).flatMap(([module, [ofB, ofA]]) => [
          [`orthogonality/${module}.B`, ofB],
          [`orthogonality/${module}.A`, ofA],
        ]),
      );
    case 'finish':
      return { 'train/train_runtime': event.train_runtime };
    case 'test':
      return Object.fromEntries(
        Object.entries(event.metrics).map(([name, value]) => [name.replace('eval_', 'test/'), value]),
      );
    default:
      return {};
  }
}

/** The remainders of all bytes by Castagnoli's polynomial, bit-reversed. */
const REMAINDERS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** The CRC-32C of bytes (RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ REMAINDERS[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
}
