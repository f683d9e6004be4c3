/** How the linear weights of a frozen base model are stored: as float32, or quantized to 8 or 4 bits. */
export const BASE_DTYPES = ['float32', 'int8', 'int4'] as const;
export type BaseDtype = (typeof BASE_DTYPES)[number];
