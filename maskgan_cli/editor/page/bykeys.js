// Keyboard control of the canvas: arrows move the brush, Enter applies the tool; a selected part is moved, scaled and rotated.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function bindCanvas(editor) {
  const { tools, view } = editor;
  let placed = null; // position of a polygon's last corner

  const hover = () => (tools.hover ??= { x: view.side / 2, y: view.side / 2, pane: view.panes()[0] });
  const tell = () => editor.panels.say(`${editor.panels.classes.name(editor.mask.at(tools.hover.x, tools.hover.y))}, ${Math.round(tools.hover.x)} across, ${Math.round(tools.hover.y)} down`);

  function move([dx, dy], event) {
    const { selection } = tools;
    if (tools.tool === "hand") view.panBy(-40 * dx, -40 * dy);
    else if (selection) {
      if (event.shiftKey) selection.stretch(dx * 0.05, -dy * 0.05);
      else if (event.altKey) selection.turnBy((dx || dy) * Math.PI / 60);
      else selection.nudge(dx, dy);
      editor.commit(`Move: ${editor.panels.classes.name(tools.value).toLowerCase()}`, { merge: "keys" });
    } else {
      const far = event.shiftKey ? 16 : event.altKey ? 1 : 4, inside = (value) => Math.max(0, Math.min(view.side - 1, value));
      const { x, y, pane } = hover();
      tools.hover = { x: inside(x + dx * far), y: inside(y + dy * far), pane };
      view.reveal(tools.hover.x, tools.hover.y);
      tell();
    }
  }
  function use() {
    const { x, y } = hover(), { tool } = tools;
    if (tool === "brush" || tool === "eraser") tools.dab(x, y);
    else if (tool === "move") tools.selection ? tools.finish() : tools.grab(x, y);
    else if (tool === "polygon" && (placed?.x !== x || placed?.y !== y)) {
      placed = { x, y };
      tools.addPoint(x, y);
    } else if (tool === "polygon") { // pressed again at the same position
      placed = null;
      tools.finishPolygon();
    } else tools.tapped(x, y);
  }
  view.canvas.addEventListener("pointerdown", () => { placed = null; });
  view.canvas.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!editor.ready || event.ctrlKey || event.metaKey || (!arrow && event.key !== "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    if (arrow) move(arrow, event);
    else if (tools.tool === "polygon" && tools.points.length > 2 && !placed) tools.finishPolygon(); // its corners were clicked
    else use();
    view.draw();
  });
}
