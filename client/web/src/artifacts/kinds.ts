// What a file is, by its name, and so how it is shown. What a file says of itself counts for nothing.

import type { ContentType } from "./reading";

export type Kind = "text" | "json" | "table" | "image" | "html" | "pdf" | "audio" | "video" | "unknown" | "binary";

const IMAGES: Record<string, ContentType> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  bmp: "image/bmp",
  ico: "image/x-icon",
  svg: "image/svg+xml",
};
const AUDIO: Record<string, ContentType> = {
  mp3: "audio/mpeg",
  wav: "audio/wav",
  ogg: "audio/ogg",
  flac: "audio/flac",
  m4a: "audio/mp4",
};
const VIDEO: Record<string, ContentType> = { mp4: "video/mp4", webm: "video/webm", mov: "video/mp4" };
const TEXT = new Set(
  (
    "txt log md rst py ipynb yaml yml toml ini cfg conf env sh bash ps1 bat js mjs ts tsx jsx css scss xml sql r jl java " +
    "kt scala c h cc cpp hpp cu rs go rb php lua pl proto graphql tex bib diff patch jsonl ndjson geojson dockerfile lock " +
    "gitignore editorconfig out err"
  ).split(" "),
);
const BINARY = new Set(
  (
    "pkl pickle pt pth ckpt safetensors bin onnx h5 hdf5 npy npz parquet arrow feather joblib model tflite pb zip tar gz " +
    "tgz bz2 xz zst 7z whl so dll exe dylib o a class jar db sqlite tif tiff heic ttf otf woff woff2 gguf"
  ).split(" "),
);

export function kindOf(path: string): Kind {
  const suffix = suffixOf(path);
  if (suffix in IMAGES) return "image";
  if (suffix in AUDIO) return "audio";
  if (suffix in VIDEO) return "video";
  if (suffix === "json") return "json";
  if (suffix === "csv" || suffix === "tsv") return "table";
  if (suffix === "html" || suffix === "htm") return "html";
  if (suffix === "pdf") return "pdf";
  if (TEXT.has(suffix)) return "text";
  return BINARY.has(suffix) ? "binary" : "unknown";
}

/** What the browser is told that an image, a sound or a film is. */
export function mediaType(path: string): ContentType {
  const suffix = suffixOf(path);
  return IMAGES[suffix] ?? AUDIO[suffix] ?? VIDEO[suffix] ?? "application/octet-stream";
}

export function suffixOf(path: string): string {
  const name = nameOf(path);
  const at = name.lastIndexOf(".");
  return at < 0 ? "" : name.slice(at + 1).toLowerCase();
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** A name as it is: signs that would turn the direction of what stands behind them are shown as their numbers. */
export function shownName(name: string): string {
  return name.replaceAll(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (sign) => {
    return `⟨U+${sign.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}
