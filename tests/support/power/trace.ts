/**
 * What a process did to the files of a directory, in order, as the recorder
 * wrote it: `recorder/trace.h` describes the bytes.
 *
 * @module
 */

/** One thing that the process did. A file is named by its inode. */
export type Step =
  | { do: "open"; file: number; name: string; isEmptied: boolean }
  | { do: "write"; file: number; at: number; bytes: Uint8Array }
  | { do: "resize"; file: number; size: number }
  | { do: "sync"; file: number }
  | { do: "syncDirectory" }
  | { do: "rename" | "link"; name: string; to: string }
  | { do: "unlink"; name: string }
  | { do: "print"; text: string };

const HEADER_LENGTH = 32;

interface Parts {
  readonly file: number;
  readonly place: number;
  readonly name: string;
  readonly data: Uint8Array;
}

const decoder = new TextDecoder();

/** How each call is read, by its number. */
const CALLS: Record<number, (parts: Parts) => Step> = {
  1: ({ file, name, place }) => ({
    do: "open",
    file,
    name,
    isEmptied: place === 1,
  }),
  2: ({ file, place, data }) => ({
    do: "write",
    file,
    at: place,
    bytes: data,
  }),
  3: ({ file, place }) => ({ do: "resize", file, size: place }),
  4: ({ file }) => ({ do: "sync", file }),
  5: () => ({ do: "syncDirectory" }),
  6: ({ name, data }) => ({ do: "rename", name, to: decoder.decode(data) }),
  7: ({ name, data }) => ({ do: "link", name, to: decoder.decode(data) }),
  8: ({ name }) => ({ do: "unlink", name }),
  9: ({ data }) => ({ do: "print", text: decoder.decode(data) }),
};

/** Reads a trace. Throws if the process made a call that the recorder cannot describe. */
export function readTrace(bytes: Uint8Array<ArrayBuffer>): Step[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const steps: Step[] = [];
  for (let at = 0; at < bytes.length;) {
    const call = view.getUint32(at, true);
    const nameLength = view.getUint32(at + 4, true);
    const file = Number(view.getBigUint64(at + 8, true));
    const place = Number(view.getBigInt64(at + 16, true));
    const dataLength = Number(view.getBigUint64(at + 24, true));
    const nameEnd = at + HEADER_LENGTH + nameLength;
    const name = decoder.decode(bytes.subarray(at + HEADER_LENGTH, nameEnd));
    const data = bytes.subarray(nameEnd, nameEnd + dataLength);
    const read = CALLS[call];
    if (!read) {
      throw new Error(
        `Cannot read the trace: the process called ${name}; teach the recorder to describe it`,
      );
    }
    steps.push(read({ file, place, name, data }));
    at = nameEnd + dataLength;
  }
  return steps;
}
