"""Steady load on POST /v1/generate, by Locust.

    locust -f scripts/load_test.py --headless -u 50 -r 10 -t 60s --host http://localhost:8000

A request counts as failed unless it is answered with 200 and a JSON object
that has a `generated_text`.
"""

import random

from locust import HttpUser, between, task

PROMPTS = [
    "What is a headworks?",
    "Explain continuous batching in two sentences.",
    "Write a haiku about rivers.",
    "Summarise: a gateway stands between clients and model servers.",
]


class GenerateUser(HttpUser):
    host = "http://localhost:8000"
    wait_time = between(1, 3)

    @task
    def qwen2(self):
        self.generate("qwen2", "chat")

    @task
    def llama3(self):
        self.generate("llama3", "summarize")

    def generate(self, model, scenario):
        request = {
            "model_id": model,
            "inputs": random.choice(PROMPTS),
            "scenario": scenario,
            "parameters": {"max_new_tokens": 64, "temperature": 0.7, "top_p": 0.9},
        }
        name = f"/v1/generate {model}"
        with self.client.post("/v1/generate", json=request, name=name, catch_response=True) as response:
            problem = self.problem(response)
            if problem:
                response.failure(problem)

    @staticmethod
    def problem(response):
        """What is wrong with an answer, or None."""
        if response.status_code != 200:
            return f"status {response.status_code}: {(response.text or '')[:200]}"
        try:
            answer = response.json()
        except ValueError:
            return "the answer is not JSON"
        if not isinstance(answer, dict) or "generated_text" not in answer:
            return "the answer is not an object with `generated_text`"
        return None
