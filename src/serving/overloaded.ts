/** Thrown if too many requests are waiting. The client should try again later. */
export class Overloaded extends Error {
  override name = 'Overloaded';

  constructor(waiting: number) {
    super(`The server is overloaded: ${waiting} requests are waiting. Try again later.`);
  }
}
