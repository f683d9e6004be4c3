/** A range of a flat vector: `start` inclusive, `end` exclusive. */
export interface Segment {
  start: number;
  end: number;
}
