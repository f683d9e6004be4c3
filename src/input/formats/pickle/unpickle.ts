import {
  knownOpcode,
  type Opcode,
  PickleEnd,
  PickleList,
  PickleMachine,
  type PickleOptions,
  type PickleReader,
  refusedOpcode,
} from './pickle-machine.ts';

/**
 * Maximum number of opcodes, which limits memory: each makes a value of at most about 200 bytes. A tensor
 * takes about 30 opcodes, and models have about a thousand tensors.
 */
const MAX_OPERATIONS = 2 ** 19;
const MAX_PROTOCOL = 5;

/**
 * Parses a pickle of plain data: dictionaries (as Map), tuples (as array), lists, strings, numbers, booleans,
 * None (as null), and the results of the given globals. Nothing in the pickle is executed. Other opcodes and
 * globals are rejected by name. The reader stops at the end of the pickle, because another one may follow.
 *
 * @throws UserError
 */
export function unpickle(reader: PickleReader, options: PickleOptions): unknown {
  const machine = new PickleMachine(reader, options);
  try {
    for (let count = 0; count < MAX_OPERATIONS; count++) {
      const byte = reader.uint8();
      const opcode = knownOpcode(byte);
      if (opcode === undefined) throw machine.refused(`uses the operation ${refusedOpcode(byte)}`);
      if (opcode === 'STOP') return machine.result();
      OPERATIONS[opcode](machine, reader);
    }
  } catch (error) {
    if (error instanceof PickleEnd) throw machine.damaged('ends without STOP');
    throw error;
  }
  throw machine.damaged(`has more than ${MAX_OPERATIONS} operations`);
}

const OPERATIONS: Record<Exclude<Opcode, 'STOP'>, (machine: PickleMachine, reader: PickleReader) => void> = {
  PROTO(machine, reader) {
    const protocol = reader.uint8();
    if (protocol > MAX_PROTOCOL) throw machine.refused(`uses protocol ${protocol}`);
  },
  FRAME: (_, reader) => reader.skip(8),
  MARK: (machine) => machine.mark(),
  NONE: (machine) => machine.push(null),
  NEWTRUE: (machine) => machine.push(true),
  NEWFALSE: (machine) => machine.push(false),
  BININT: (machine, reader) => machine.push(reader.int32()),
  BININT1: (machine, reader) => machine.push(reader.uint8()),
  BININT2: (machine, reader) => machine.push(reader.uint16()),
  LONG1(machine, reader) {
    const value = reader.long(reader.uint8());
    if (value === undefined) throw machine.refused('has a number beyond 2^53');
    machine.push(value);
  },
  BINFLOAT: (machine, reader) => machine.push(reader.float64()),
  BINUNICODE: (machine, reader) => machine.push(machine.text(reader.text(reader.uint32()))),
  SHORT_BINUNICODE: (machine, reader) => machine.push(machine.text(reader.text(reader.uint8()))),
  EMPTY_DICT: (machine) => machine.push(new Map()),
  SETITEM: (machine) => machine.setItems(machine.popMany(2)),
  SETITEMS: (machine) => machine.setItems(machine.popMark()),
  EMPTY_LIST: (machine) => machine.push(new PickleList()),
  APPEND: (machine) => machine.append(machine.popMany(1)),
  APPENDS: (machine) => machine.append(machine.popMark()),
  EMPTY_TUPLE: (machine) => machine.push([]),
  TUPLE: (machine) => machine.push(machine.popMark()),
  TUPLE1: (machine) => machine.push(machine.popMany(1)),
  TUPLE2: (machine) => machine.push(machine.popMany(2)),
  TUPLE3: (machine) => machine.push(machine.popMany(3)),
  BINPUT: (machine, reader) => machine.memoize(reader.uint8()),
  LONG_BINPUT: (machine, reader) => machine.memoize(reader.uint32()),
  MEMOIZE: (machine) => machine.memoize(),
  BINGET: (machine, reader) => machine.recall(reader.uint8()),
  LONG_BINGET: (machine, reader) => machine.recall(reader.uint32()),
  GLOBAL: (machine, reader) => machine.global(machine.text(reader.line()), machine.text(reader.line())),
  STACK_GLOBAL(machine) {
    const [module, name] = machine.popMany(2);
    machine.global(module, name);
  },
  REDUCE: (machine) => machine.reduce(),
  BUILD: (machine) => machine.build(),
  BINPERSID: (machine) => machine.persistent(),
};
