// Somebody's pictures, drawn as they come. What is not shown is not asked for.
import { useEffect, useRef } from "preact/hooks";
import type { PersonId, Picture as Frame, Session, Source, Stop } from "../meeting/model.ts";

/** Draws on this canvas until stopped. */
export function drawOn(
  canvas: HTMLCanvasElement,
  session: Session,
  person: PersonId,
  source: Source,
  large: boolean,
): Stop {
  const context = canvas.getContext("2d", { alpha: false });
  const show = ({ image, width, height }: Frame) => {
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    context?.drawImage(image, 0, 0, width, height);
  };
  return session.watch(person, source, large, show);
}

export function Picture(props: { session: Session; person: PersonId; source: Source; large: boolean }) {
  const { session, person, source, large } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!canvas.current) return;
    return drawOn(canvas.current, session, person, source, large);
  }, [session, person, source, large]);
  return <canvas ref={canvas} class={`picture ${source}`} width={16} height={9} aria-hidden="true" />;
}
