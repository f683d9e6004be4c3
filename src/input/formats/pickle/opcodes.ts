/**
 * The pickle opcodes (from Python's pickletools) that are needed for a dictionary of tensors and a list of
 * storages.
 */
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
  EMPTY_LIST: 0x5d,
  APPEND: 0x61,
  APPENDS: 0x65,
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

/** Names of rejected opcodes, for the error message. */
const REFUSED: Readonly<Record<number, string>> = {
  ...{ 105: 'INST', 111: 'OBJ', 129: 'NEWOBJ', 146: 'NEWOBJ_EX', 80: 'PERSID' },
  ...{ 130: 'EXT1', 131: 'EXT2', 132: 'EXT4', 48: 'POP', 49: 'POP_MARK', 50: 'DUP' },
  ...{ 73: 'INT', 76: 'LONG', 139: 'LONG4', 70: 'FLOAT', 83: 'STRING', 84: 'BINSTRING' },
  ...{ 85: 'SHORT_BINSTRING', 86: 'UNICODE', 141: 'BINUNICODE8', 66: 'BINBYTES' },
  ...{ 67: 'SHORT_BINBYTES', 142: 'BINBYTES8', 150: 'BYTEARRAY8', 151: 'NEXT_BUFFER' },
  ...{ 152: 'READONLY_BUFFER', 108: 'LIST' },
  ...{ 100: 'DICT', 143: 'EMPTY_SET', 144: 'ADDITEMS', 145: 'FROZENSET', 112: 'PUT', 103: 'GET' },
};

const KNOWN = new Map<number, Opcode>(Object.entries(OPCODES).map(([name, byte]) => [byte, name as Opcode]));

/** The opcode of a byte; undefined if it is not supported. */
export function knownOpcode(byte: number): Opcode | undefined {
  return KNOWN.get(byte);
}

export function refusedOpcode(byte: number): string {
  return REFUSED[byte] ?? `0x${byte.toString(16).padStart(2, '0')}`;
}
