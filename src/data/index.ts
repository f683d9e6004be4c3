export { detectFormat } from './detect-format.ts';
export { parseRows } from './parse-rows.ts';
export type { DataColumns, DataOptions, FileFormat, RawLabel, Row } from './row.ts';
export { SAMPLE_BY, type SampleBy, splitDocuments } from './text/documents.ts';
export { type LanguageRow, languageRows } from './text/language-rows.ts';
export type { TextFile } from './text-file.ts';
