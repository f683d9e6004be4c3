/** A part of a transcript. Its times are seconds after the start of the sound. */
export interface SpokenSegment {
  start: number;
  end: number;
  text: string;
}

/** A time as in subtitles, such as 00:01:02,500. */
function writeTime(seconds: number, comma: string): string {
  const milliseconds = Math.round(seconds * 1000);
  const hours = Math.floor(milliseconds / 3_600_000);
  return (
    `${hours}`.padStart(2, '0') +
    new Date(milliseconds % 3_600_000).toISOString().slice(13, 23).replace('.', comma)
  );
}

/** Writes segments as subtitles. */
export function writeSubtitles(segments: readonly SpokenSegment[], form: 'srt' | 'vtt'): string {
  const comma = form === 'srt' ? ',' : '.';
  const parts = segments.map(({ start, end, text }, i) => {
    const number = form === 'srt' ? `${i + 1}\n` : '';
    return `${number}${writeTime(start, comma)} --> ${writeTime(end, comma)}\n${text}\n`;
  });
  return [...(form === 'vtt' ? ['WEBVTT\n'] : []), ...parts].join('\n');
}
