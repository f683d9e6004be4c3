/** Operations of a pickle that a dictionary of tensors is made of, by their byte (Python's pickletools). */
export const OPCODES = {
  PROTO: 0x80,
  FRAME: 0x95,
  STOP: 0x2e,
  MARK: 0x28,
  NONE: 0x4e,
  NEWTRUE: 0x88,
  NEWFALSE: 0x89,
  BININT: 0x4a,
  BININT1: 0x4b,
  BININT2: 0x4d,
  LONG1: 0x8a,
  BINFLOAT: 0x47,
  BINUNICODE: 0x58,
  SHORT_BINUNICODE: 0x8c,
  EMPTY_DICT: 0x7d,
  SETITEM: 0x73,
  SETITEMS: 0x75,
  EMPTY_TUPLE: 0x29,
  TUPLE: 0x74,
  TUPLE1: 0x85,
  TUPLE2: 0x86,
  TUPLE3: 0x87,
  BINPUT: 0x71,
  LONG_BINPUT: 0x72,
  MEMOIZE: 0x94,
  BINGET: 0x68,
  LONG_BINGET: 0x6a,
  GLOBAL: 0x63,
  STACK_GLOBAL: 0x93,
  REDUCE: 0x52,
  BUILD: 0x62,
  BINPERSID: 0x51,
} as const;

export type Opcode = keyof typeof OPCODES;

/** The other operations, for the message that refuses one. */
const REFUSED: Readonly<Record<number, string>> = {
  ...{ 0x69: 'INST', 0x6f: 'OBJ', 0x81: 'NEWOBJ', 0x92: 'NEWOBJ_EX', 0x50: 'PERSID' },
  ...{ 0x82: 'EXT1', 0x83: 'EXT2', 0x84: 'EXT4', 0x30: 'POP', 0x31: 'POP_MARK', 0x32: 'DUP' },
  ...{ 0x49: 'INT', 0x4c: 'LONG', 0x8b: 'LONG4', 0x46: 'FLOAT', 0x53: 'STRING', 0x54: 'BINSTRING' },
  ...{ 0x55: 'SHORT_BINSTRING', 0x56: 'UNICODE', 0x8d: 'BINUNICODE8', 0x42: 'BINBYTES' },
  ...{ 0x43: 'SHORT_BINBYTES', 0x8e: 'BINBYTES8', 0x96: 'BYTEARRAY8', 0x97: 'NEXT_BUFFER' },
  ...{ 0x98: 'READONLY_BUFFER', 0x5d: 'EMPTY_LIST', 0x6c: 'LIST', 0x61: 'APPEND', 0x65: 'APPENDS' },
  ...{ 0x64: 'DICT', 0x8f: 'EMPTY_SET', 0x90: 'ADDITEMS', 0x91: 'FROZENSET', 0x70: 'PUT', 0x67: 'GET' },
};

const KNOWN = new Map<number, Opcode>(Object.entries(OPCODES).map(([name, byte]) => [byte, name as Opcode]));

/** The operation of a byte, if it is one that is carried out. */
export function knownOpcode(byte: number): Opcode | undefined {
  return KNOWN.get(byte);
}

export function refusedOpcode(byte: number): string {
  return REFUSED[byte] ?? `0x${byte.toString(16).padStart(2, '0')}, which is none`;
}
