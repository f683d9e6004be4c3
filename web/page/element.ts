import type { ChosenFile } from '../data/read-chosen.ts';

/** Returns the element with an id in the page's HTML. If it has another type, the page has a bug. */
export function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} ${id}`);
}

/** A chosen file; of a folder, with its path in the folder. */
export function withPath(file: File): ChosenFile {
  return { path: file.webkitRelativePath || file.name, file };
}

/** Downloads a file. */
export function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // A browser that asks where to save the file reads the URL later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
