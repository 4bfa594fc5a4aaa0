// Files that a person gives to the window, read here and sent to the core as they are; and those that the core gives.

import type { ImportFile } from '$api';

/** Larger files hold no certificate, in bytes. */
export const LARGEST = 1024 * 1024;

/** Its content in base64. */
export async function contentOf(file: File): Promise<ImportFile> {
  return { name: file.name, content: base64(new Uint8Array(await file.arrayBuffer())) };
}

/** Text that was pasted, as if it were a file. */
export const pasted = (name: string, text: string): ImportFile => ({ name, content: base64(new TextEncoder().encode(text)) });

/** The bytes that the core sent in base64. */
export const bytesOf = (content: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(content), (char) => char.charCodeAt(0));

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
