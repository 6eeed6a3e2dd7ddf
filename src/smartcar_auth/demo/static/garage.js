// When the button says that a car was granted, show this person's cars. No reload.
const garage = document.getElementById("garage");
const template = document.getElementById("car");

addEventListener("smartcar-granted", async () => {
  const vehicles = await (await fetch("/vehicles")).json();
  garage.replaceChildren(
    ...vehicles.map((vehicle) => {
      const car = template.content.cloneNode(true);
      for (const field of car.querySelectorAll("[data-of]")) {
        const value = vehicle[field.dataset.of];
        if (value !== undefined) field.textContent = value;
      }
      return car;
    }),
  );
});
