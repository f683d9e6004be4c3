/** Adapters are written in the format of this PEFT version. */
export const PEFT_VERSION = '0.21.2';
