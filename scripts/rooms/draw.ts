import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';
import { type Markup, markup } from '../../src/studies/report/markup.ts';
import { standalone } from '../standalone-figure.ts';
import { ROOMS, roomOf } from './rooms.ts';

/*
 * A part of `npm run docs`.
 *
 * Draws docs/rooms.svg: the number of imports between rooms.
 */

const [LEFT, TOP, CELL] = [132, 112, 17];
const WIDTH = LEFT + ROOMS.length * CELL + 480;
const HEIGHT = TOP + ROOMS.length * CELL + 12;

/** Number of imports, by importing and imported room. */
function imports(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const path of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts') || path.endsWith('.test.ts')) continue;
    const file = path.replaceAll('\\', '/');
    const room = roomOf(file);
    if (!room) continue;
    for (const { fileName } of ts.preProcessFile(readFileSync(`src/${file}`, 'utf8')).importedFiles) {
      if (!fileName.startsWith('.')) continue;
      const target = roomOf(posix.join(posix.dirname(file), fileName));
      if (target !== room) counts.set(`${room} ${target}`, (counts.get(`${room} ${target}`) ?? 0) + 1);
    }
  }
  return counts;
}

function cells(counts: ReadonlyMap<string, number>): Markup[] {
  return ROOMS.flatMap(({ folder: room }, row) =>
    ROOMS.flatMap(({ folder: target }, column) => {
      const count = counts.get(`${room} ${target}`);
      if (count === undefined) return [];
      const [x, y] = [LEFT + column * CELL, TOP + row * CELL];
      const opacity = Math.min(1, 0.15 + Math.log10(count) / 2).toFixed(2);
      return markup`<g><title>${room} imports ${count} times from ${target}</title><rect x="${x + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" fill="var(--ink)" opacity="${opacity}"/></g>`;
    }),
  );
}

function labels(): Markup[] {
  return ROOMS.flatMap(({ folder: room, content }, i) => {
    const at = CELL * (i + 0.5);
    const right = LEFT + ROOMS.length * CELL + 10;
    return [
      markup`<text x="${LEFT - 8}" y="${TOP + at + 3}" text-anchor="end">${room}</text>`,
      markup`<text transform="translate(${LEFT + at + 3} ${TOP - 8}) rotate(-60)">${room}</text>`,
      markup`<text class="axis" x="${right}" y="${TOP + at + 3}">${content}</text>`,
      markup`<rect x="${LEFT + i * CELL + 1}" y="${TOP + i * CELL + 1}" width="${CELL - 2}" height="${CELL - 2}" fill="none" class="grid"/>`,
    ];
  });
}

const picture = markup`<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" role="img" aria-label="Imports between the rooms in src: a mark in row A and column B where A imports from B">${labels()}${cells(imports())}</svg>`;
atomicWrite('docs/rooms.svg', standalone(picture));
