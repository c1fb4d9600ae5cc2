// Made-up pictures: a head before a wall, in another colour for each person, and a page for a screen.
import type { Picture, Source, Stop } from "../../src/meeting/model.ts";

const FPS = 8;

export function play(person: number, source: Source, large: boolean, show: (picture: Picture) => void): Stop {
  const canvas = document.createElement("canvas");
  canvas.width = large ? 960 : 320;
  canvas.height = large ? 540 : 180;
  const context = canvas.getContext("2d");
  if (!context) return () => undefined;
  let step = 0;
  const paint = () => {
    step += 1;
    if (source === "screen") paintScreen(context, canvas.width, canvas.height);
    else paintPerson(context, canvas.width, canvas.height, person, step);
    show({ image: canvas, width: canvas.width, height: canvas.height });
  };
  paint();
  const timer = setInterval(paint, 1000 / FPS);
  return () => clearInterval(timer);
}

function paintPerson(c: CanvasRenderingContext2D, width: number, height: number, person: number, step: number): void {
  const hue = (person * 67) % 360;
  const wall = c.createLinearGradient(0, 0, width, height);
  wall.addColorStop(0, `hsl(${hue} 18% 62%)`);
  wall.addColorStop(1, `hsl(${hue} 22% 34%)`);
  c.fillStyle = wall;
  c.fillRect(0, 0, width, height);
  const x = width / 2 + Math.sin(step / 9 + person) * width * 0.01;
  c.fillStyle = `hsl(${(hue + 150) % 360} 16% 26%)`;
  c.beginPath();
  c.ellipse(x, height * 1.12, width * 0.24, height * 0.46, 0, 0, Math.PI * 2);
  c.fill();
  c.fillStyle = `hsl(${24 + (person % 5) * 3} 34% ${38 + (person % 6) * 6}%)`;
  c.beginPath();
  c.ellipse(x, height * 0.46, height * 0.16, height * 0.21, 0, 0, Math.PI * 2);
  c.fill();
  c.fillStyle = `hsl(${hue} 12% 16%)`;
  c.beginPath();
  c.ellipse(x, height * 0.35, height * 0.17, height * 0.14, 0, Math.PI, Math.PI * 2);
  c.fill();
}

function paintScreen(c: CanvasRenderingContext2D, width: number, height: number): void {
  c.fillStyle = "#fbfaf7";
  c.fillRect(0, 0, width, height);
  c.fillStyle = "#2b3335";
  c.font = `${height / 14}px serif`;
  c.fillText("In memory of", width * 0.1, height * 0.2);
  c.fillStyle = "#9aa3a5";
  for (let line = 0; line < 8; line++) {
    c.fillRect(width * 0.1, height * (0.3 + line * 0.07), width * (0.5 + 0.28 * Math.abs(Math.sin(line * 2.3))), height * 0.025);
  }
}
