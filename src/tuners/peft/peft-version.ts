/** The PEFT version whose format is written. */
export const PEFT_VERSION = '0.21.2';
