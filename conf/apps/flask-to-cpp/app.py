"""The shop as it is: a Flask application."""

from flask import Flask, request

app = Flask(__name__)
ORDERS = ("two bolts", "a nut")


@app.get("/")
def front_page():
    return "The shop (Flask)\n"


@app.get("/orders")
def orders():
    return "".join(f"{number}: {text}\n" for number, text in enumerate(ORDERS, 1)), {"X-Served-By": "Flask"}


@app.post("/orders")
def order():
    return f"ordered: {request.get_data(as_text=True)}\n", 201, {"X-Served-By": "Flask"}
